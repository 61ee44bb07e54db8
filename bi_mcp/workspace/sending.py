"""Sends steps: several as one batch, one by itself through the library, which looks after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import BiMcpError
from bi_mcp.rest.batch import Command, Reference
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility
from bi_mcp.workspace.commands import Commands, column_changes

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.workspace.setup import Group, Setup
    from bi_mcp.workspace.steps import Step

KnownId = Callable[["Group", str], int]


@dataclass(frozen=True)
class Sender:
    """`known_id` gives the id of an object that is there already."""

    bi: BIConnector
    setup: Setup
    commands: Commands
    known_id: KnownId

    async def send(self, steps: Sequence[Step]) -> list[int | BiMcpError | None]:
        """What each step answered: the new id of an `add`, None of another, or its error."""
        if len(steps) > 1:
            return list(await self.bi.batch(self._commands(steps)))
        try:
            return [await self._send_one(steps[0])]
        except BiMcpError as error:
            return [error]

    def _commands(self, steps: Sequence[Step]) -> list[Command[Any]]:
        made = {
            (step.group, step.key): position for position, step in enumerate(steps) if step.operation == "add"
        }

        def id_of(group: Group, key: str) -> int | Reference:
            position = made.get((group, key))
            return self.known_id(group, key) if position is None else Reference(position, "id")

        return [self.commands.build(step, id_of) for step in steps]

    async def _send_one(self, step: Step) -> int | None:
        if step.operation == "add":
            return await self._add(step)
        if step.operation == "delete":
            await self._delete(step.group, step.id or 0)
        elif step.operation == "columns":
            await self.bi.datasets.update_columns(step.id or 0, column_changes(step.columns))
        elif step.operation == "hide":
            await self._hide(step)
        else:
            await self._update(step)
        return None

    async def _add(self, step: Step) -> int:
        key = step.key or ""
        if step.group == "connector":
            return await self.bi.connectors.add(self.commands.connector_fields(step))
        if step.group == "source":
            connector = self.known_id("connector", self.setup.sources[key].connector)
            return await self.bi.sources.add(self.commands.source_fields(step, connector))
        entry = self.setup.datasets[key]
        fields = self.commands.dataset_fields(step, self.known_id("source", entry.source))
        alone = self.commands.tables and not entry.builder_dataset
        return await self.bi.datasets.add(fields, builder_dataset=not alone)

    async def _update(self, step: Step) -> None:
        id = step.id or 0
        if step.group == "connector":
            await self.bi.connectors.update(id, self.commands.connector_changes(step))
        elif step.group == "source":
            await self.bi.sources.update(id, self.commands.source_changes(step))
        else:
            await self.bi.datasets.update(id, self.commands.dataset_changes(step))

    async def _delete(self, group: Group, id: int) -> None:
        if group == "connector":
            await self.bi.connectors.delete(id)
        elif group == "source":
            await self.bi.sources.delete(id)
        else:
            await self.bi.datasets.delete(id)

    async def _hide(self, step: Step) -> None:
        """Columns are born visible, and their ids are known only when they are there."""
        key = step.key or ""
        id = self.known_id("dataset", key)
        hidden = {column.name for column in self.setup.datasets[key].columns if not column.visible}
        shown = [
            ColumnVisibility(id=column.id, visible=False)
            for column in (await self.bi.datasets.get(id)).fields or ()
            if column.name in hidden and column.visible is not False
        ]
        if shown:
            await self.bi.datasets.update_columns(id, ColumnChanges(update=shown))
