"""Undo at work: reads what a plan needs, and carries the plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, InvalidRequestError, NotFoundError
from bi_mcp.history.actor import undoing
from bi_mcp.history.entries import Key, choose, current_id, replacements
from bi_mcp.history.guarded_writes import GuardedWrites
from bi_mcp.history.undo import find_touched, plan_undo
from bi_mcp.history.world import World
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
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
    """The outcome of a step. `id` is the object's afterwards; `error` says why it was not made, or is not known to be made."""

    step: UndoStep
    id: int
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The result for machines."""
        entry = self.step.entry
        document = {"entry": entry.id, "step": str(self.step), "group": entry.group, "id": self.id}
        return document if self.error is None else document | {"error": self.error}


@dataclass(frozen=True)
class Undo:
    """Reverts entries of the history of a portal. `named`: stored secrets go only where they are bound to."""

    bi: BIConnector
    history: History
    named: NamedSecrets | None = None

    @property
    def _writes(self) -> GuardedWrites:
        return GuardedWrites(self.bi, self.named, self.history)

    async def plan(self, ids: Sequence[str] = ()) -> UndoPlan:
        """Plan to revert the named entries, or the last change. Raises `InvalidRequestError` for an entry that is not there."""
        entries = await to_thread.run_sync(self.history.entries)
        chosen = [await self._find_object(entry) for entry in choose(entries, ids)]
        opened = [await to_thread.run_sync(self.history.unseal, entry) for entry in chosen]
        live = await self._live(find_touched(opened, replacements(entries)))
        return plan_undo(opened, World(entries, live, await self.bi.datasets.generation()))

    async def run(self, plan: UndoPlan) -> list[Reverted]:
        """Make the steps until one fails. Raises `InvalidRequestError` if the plan has obstacles."""
        if plan.obstacles:
            raise plan.refusal()
        replaced = replacements(await to_thread.run_sync(self.history.entries))
        results: list[Reverted] = []
        for step in plan.steps:
            with undoing(step.entry.id):
                try:
                    id = await self._make(step, replaced)
                except BiMcpError as error:
                    return [*results, Reverted(step, step.id, str(error))]
            if step.action == "recreate":
                replaced[step.entry.group, step.id] = id
            results.append(Reverted(step, id))
        return results

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
        elif step.action == "columns":
            await self._change_columns(id, step.values)
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
        await self._show(id, _hidden(columns))
        return id

    async def _change_columns(self, id: int, values: Wire) -> None:
        """Change columns in several calls, one after the other: an added column may have the name of a deleted one, and a hidden one must exist."""
        if values["delete"]:
            now = (await self.bi.datasets.get(id)).fields or []
            ids = [column.id for column in now if column.external_code in values["delete"]]
            await self.bi.datasets.update_columns(id, ColumnChanges(delete=ids))
        if values["add"]:
            added = [NewColumn.pick(column) for column in values["add"]]
            await self.bi.datasets.update_columns(id, ColumnChanges(add=added))
        await self._show(id, {**_hidden(values["add"]), **values["show"]})

    async def _show(self, id: int, wanted: Mapping[str, bool]) -> None:
        if not wanted:
            return
        now = (await self.bi.datasets.get(id)).fields or []
        columns = {column.external_code or "": column for column in now}
        changes = [
            ColumnVisibility(id=columns[code].id, visible=visible)
            for code, visible in wanted.items()
            if code in columns and columns[code].visible is not visible
        ]
        if changes:
            await self.bi.datasets.update_columns(id, ColumnChanges(update=changes))


def _hidden(columns: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """The columns that must be hidden after their creation, since new columns are visible."""
    return {column["externalCode"]: False for column in columns if not column["visible"]}
