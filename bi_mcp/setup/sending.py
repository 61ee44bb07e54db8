"""Sends writes: several as one batch, one by itself through the library, which looks after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import BiMcpError
from bi_mcp.rest.batch import BatchReference, Command
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    ConnectorFields,
    DatasetFields,
    SourceChanges,
    SourceFields,
)
from bi_mcp.setup.commands import Creation, SetupCommands, SetupWrite, Update

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.groups import Group
    from bi_mcp.setup.setup import Setup
    from bi_mcp.setup.steps import PlanStep

KnownId = Callable[["Group", str], int]


@dataclass(frozen=True)
class Sender:
    """`known_id` gives the id of an object that is there already."""

    bi: BIConnector
    setup: Setup
    commands: SetupCommands
    known_id: KnownId

    async def send(self, writes: Sequence[SetupWrite]) -> list[int | BiMcpError | None]:
        """Send writes and return the result of each: the new id of an `add`, None for other operations, or the error."""
        if len(writes) > 1:
            return list(await self.bi.batch(self._commands(writes)))
        try:
            return [await self._send_one(writes[0])]
        except BiMcpError as error:
            return [error]

    def _commands(self, writes: Sequence[SetupWrite]) -> list[Command[Any]]:
        made = {
            (write.step.group, write.step.key): position
            for position, write in enumerate(writes)
            if write.step.operation == "add"
        }

        def id_of(group: Group, key: str) -> int | BatchReference:
            position = made.get((group, key))
            return self.known_id(group, key) if position is None else BatchReference(position, "id")

        return [self.commands.command(write, id_of) for write in writes]

    async def _send_one(self, write: SetupWrite) -> int | None:
        if write.refusal is not None:
            raise write.refusal
        step, id = write.step, write.step.id or 0
        match write.fields:
            case ConnectorFields() | SourceFields() | DatasetFields() as fields:
                return await self._add(step, fields)
            case ColumnChanges() as columns:
                await self.bi.datasets.update_columns(id, columns)
            case None if step.operation == "hide":
                await self._hide(step)
            case None:
                await self._delete(step.group, id)
            case changes:
                await self._update(id, changes)
        return None

    async def _add(self, step: PlanStep, fields: Creation) -> int:
        key = step.key or ""
        if isinstance(fields, ConnectorFields):
            return await self.bi.connectors.add(fields)
        if isinstance(fields, SourceFields):
            connector = self.known_id("connector", self.setup.sources[key].connector)
            return await self.bi.sources.add(fields.model_copy(update={"connector_id": connector}))
        source = self.known_id("source", self.setup.datasets[key].source)
        placed = fields.model_copy(update={"source_id": source})
        return await self.bi.datasets.add(placed, builder_dataset=not self.commands.stands_alone(step))

    async def _update(self, id: int, changes: Update) -> None:
        if isinstance(changes, ConnectorChanges):
            await self.bi.connectors.update(id, changes)
        elif isinstance(changes, SourceChanges):
            await self.bi.sources.update(id, changes)
        else:
            await self.bi.datasets.update(id, changes)

    async def _delete(self, group: Group, id: int) -> None:
        if group == "connector":
            await self.bi.connectors.delete(id)
        elif group == "source":
            await self.bi.sources.delete(id)
        else:
            await self.bi.datasets.delete(id)

    async def _hide(self, step: PlanStep) -> None:
        """Hide columns of a new dataset. Columns are visible at first, and their ids are known only after the creation."""
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
