"""Undo at work: reads what a plan needs, and carries the plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, InvalidRequestError, NotFoundError
from bi_mcp.history.actor import as_one_change, undoing
from bi_mcp.history.choice import choose, name_candidates
from bi_mcp.history.description import tell_author
from bi_mcp.history.entries import Key, current_id, replacements
from bi_mcp.history.guarded_writes import GuardedWrites
from bi_mcp.history.reader import Reader, as_of_now
from bi_mcp.history.undo import find_touched, plan_undo
from bi_mcp.history.undone_columns import UndoneColumns, hidden_columns, join_columns, show_columns
from bi_mcp.history.visible import Visibility, find_witnesses, look_for
from bi_mcp.history.withheld_values import find_given, find_withheld, tell_withheld
from bi_mcp.history.world import World
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.models import (
    ConnectorChanges,
    ConnectorFields,
    DatasetChanges,
    DatasetFields,
    NewColumn,
    SourceChanges,
    SourceFields,
)
from bi_mcp.rest.recovery import Done, judge_creation

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, History, Wire
    from bi_mcp.history.undo_plan import UndoPlan, UndoStep
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.vault.named_secrets import NamedSecrets


@dataclass(frozen=True)
class Reverted:
    """The outcome of a step. `id` is the object's afterwards; `error` says why it was not made, or is not known to be made;
    `remarks` what did not follow.
    """

    step: UndoStep
    id: int
    error: str | None = None
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result for machines."""
        entry = self.step.entry
        document = {"entry": entry.id, "step": str(self.step), "group": entry.group, "id": self.id}
        document["action"] = self.step.action
        if self.step.author:
            document["changedBy"] = self.step.author
        return document if self.error is None else document | {"error": self.error}


@dataclass(frozen=True)
class Undo:
    """Reverts entries of the history of a portal. `named`: stored secrets go only where they are bound to.

    For the `reader` only changes are there that they are shown, and the last change is their own.
    """

    bi: BIConnector
    history: History
    named: NamedSecrets | None = None
    reader: Reader = Reader()  # noqa: RUF009  it never changes

    @property
    def _writes(self) -> GuardedWrites:
        return GuardedWrites(self.bi, self.named, self.history)

    async def plan(self, ids: Sequence[str] = ()) -> UndoPlan:
        """Plan to revert the named entries, or the reader's last change. Raises `InvalidRequestError` for an entry that is not there."""
        reader = await as_of_now(self.reader, self.bi.portal.user)
        return await replace(self, reader=reader)._plan(ids)  # noqa: SLF001  its own class

    async def _plan(self, ids: Sequence[str]) -> UndoPlan:
        entries = await to_thread.run_sync(self.history.entries)
        visibility = Visibility(self.reader, find_witnesses(entries), partial(look_for, self.bi))
        await visibility.filter(name_candidates(entries, ids))
        found = choose(entries, ids, self.reader, visibility.shows)
        chosen = [await self._find_object(entry) for entry in found]
        opened = [await to_thread.run_sync(self.history.unseal, entry) for entry in chosen]
        live = await self._live(find_touched(opened, replacements(entries)))
        generation = await self.bi.datasets.generation()
        plan = plan_undo(opened, World(entries, live, generation, visibility.shows))
        plan = replace(plan, steps=tuple(self._with_author(step) for step in plan.steps))
        return await to_thread.run_sync(self._withhold_values, plan, entries)

    async def run(self, plan: UndoPlan) -> list[Reverted]:
        """Make the steps until one fails. Raises `InvalidRequestError` if the plan has obstacles."""
        if plan.obstacles:
            raise plan.refusal()
        replaced = replacements(await to_thread.run_sync(self.history.entries))
        results: list[Reverted] = []
        with as_one_change() as change:
            for steps in join_columns(plan.steps):
                first = steps[0]
                try:
                    id, remarks = await self._make_all(steps, replaced, change)
                except BiMcpError as error:
                    return [*results, Reverted(first, first.id, str(error))]
                if first.action == "recreate":
                    replaced[first.entry.group, first.id] = id
                results += [
                    Reverted(first, id, remarks=tuple(remarks)),
                    *(Reverted(step, id) for step in steps[1:]),
                ]
        return results

    def _with_author(self, step: UndoStep) -> UndoStep:
        """Name who made the change, where that was somebody else."""
        own = self.reader.wrote(step.entry)
        return step if own else replace(step, author=tell_author(step.entry))

    def _withhold_values(self, plan: UndoPlan, entries: Sequence[Entry]) -> UndoPlan:
        """Refuse steps that would send what others gave."""
        replaced = replacements(entries)
        refused = []
        for step in plan.steps:
            given = find_given(step, self.reader, entries, replaced) if step.author else []
            codes = find_withheld(step, self.reader, [self.history.unseal(entry) for entry in given])
            refused += [tell_withheld(step, codes)] if codes else []
        return replace(plan, obstacles=(*plan.obstacles, *refused))

    async def _make_all(
        self, steps: Sequence[UndoStep], replaced: Mapping[Key, int], change: str
    ) -> tuple[int, Sequence[str]]:
        """Make steps that belong together: one, or those of columns. Returns the object's id and what did not follow."""
        first = steps[0]
        if first.action == "columns":
            id = current_id(replaced, first.entry.group, first.id)
            return id, await UndoneColumns(self.bi.datasets, self.history).run(id, steps, change)
        with undoing(first.entry.id, change):
            return await self._make(first, replaced), ()

    async def _find_object(self, entry: Entry) -> Entry:
        """A creation that broke off may have made an object: the only one that is as it was sent."""
        if entry.operation != "add" or entry.object is not None or entry.outcome == "refused":
            return entry
        name = KINDS[entry.group].title
        same = [item async for item in self.bi.of(entry.group).iterate(filter={name: entry.sent[name]})]
        found = judge_creation(entry.group, entry.sent, [item.model_dump(by_alias=True) for item in same])
        return replace(entry, object=found.value) if isinstance(found, Done) else entry

    async def _live(self, keys: set[Key]) -> dict[Key, Wire | None]:
        found: dict[Key, Wire | BiMcpError | None] = {}

        async def read(key: Key) -> None:
            try:
                found[key] = (await self.bi.of(key[0]).get(key[1])).documented()
            except NotFoundError:
                found[key] = None
            except BiMcpError as error:
                found[key] = error

        async with anyio.create_task_group() as tasks:
            for key in keys:
                tasks.start_soon(read, key)
        for outcome in found.values():
            if isinstance(outcome, BiMcpError):
                raise outcome
        return {key: state for key, state in found.items() if not isinstance(state, BiMcpError)}

    async def _make(self, step: UndoStep, replaced: Mapping[Key, int]) -> int:
        id = current_id(replaced, step.entry.group, step.id)
        if step.action == "delete":
            await self.bi.of(step.entry.group).delete(id)
        elif step.action == "recreate":
            return await self._recreate(step, replaced)
        else:
            await self._update(step, id)
        return id

    async def _update(self, step: UndoStep, id: int) -> None:
        values = dict(step.values)
        if step.entry.group == "connector":
            await self._writes.change_connector(id, ConnectorChanges.model_validate(values))
        elif step.entry.group == "source":
            source = await self.bi.sources.get(id)
            allowed = await self._writes.allow(source.connector_id, values.get("settings", {}))
            changes = SourceChanges.model_validate({"title": source.title, **values})
            await self._writes.change_source(source, changes, allowed)
        else:
            await self.bi.datasets.update(id, DatasetChanges.model_validate(values))

    async def _recreate(self, step: UndoStep, replaced: Mapping[Key, int]) -> int:
        before = dict(step.values)
        group, kind = step.entry.group, KINDS[step.entry.group]
        if kind.parent:
            before[kind.parent_field] = current_id(replaced, kind.parent, before[kind.parent_field])
        try:
            if group == "connector":
                return await self.bi.connectors.add(ConnectorFields.pick(before))
            if group == "source":
                allowed = await self._writes.allow(before["connectorId"], before["settings"])
                return await self._writes.add_source(SourceFields.pick(before), allowed)
            return await self._recreate_dataset(before)
        except ValidationError:
            raise InvalidRequestError(
                say(
                    "{group} {id} cannot be created as it was: the portal reported a value that it does not accept. Create it by hand.",
                    group=group,
                    id=step.id,
                )
            ) from None

    async def _recreate_dataset(self, before: dict[str, Any]) -> int:
        columns = before["fields"]
        fields = DatasetFields.pick(before | {"fields": [NewColumn.pick(column) for column in columns]})
        alone = not before.get("externalId") and await self.bi.datasets.generation() == "tables"
        id = await self.bi.datasets.add(fields, builder_dataset=not alone)
        await show_columns(self.bi.datasets, id, hidden_columns(columns))
        return id
