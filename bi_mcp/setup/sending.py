"""Sends writes: several as one batch, one by itself through the library, which looks after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import BiMcpError
from bi_mcp.rest.batch import BatchReference
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility
from bi_mcp.rest.request import Command
from bi_mcp.setup.commands import SetupCommands, SetupWrite

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.kinds import Group
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
        step, id, methods = write.step, write.step.id or 0, self.bi.of(write.step.group)
        if step.operation == "add":
            return await self._add(step, write.fields)
        if step.operation == "hide":
            await self._hide(step)
        elif step.operation == "delete":
            await methods.delete(id)
        elif isinstance(write.fields, ColumnChanges):
            await self.bi.datasets.update_columns(id, write.fields)
        else:
            await methods.update(id, write.fields)
        return None

    async def _add(self, step: PlanStep, fields: Any) -> int:
        parent = self.setup.parent(step.group, step.entry_key)
        placed = fields.model_copy(update={f"{parent[0]}_id": self.known_id(*parent)}) if parent else fields
        if self.commands.stands_alone(step):
            return await self.bi.datasets.add(placed, builder_dataset=False)
        return await self.bi.of(step.group).add(placed)

    async def _hide(self, step: PlanStep) -> None:
        """Hide columns of a new dataset. Columns are visible at first, and their ids are known only after the creation."""
        key = step.entry_key
        id = self.known_id("dataset", key)
        names = {column.name for column in self.setup.datasets[key].columns if not column.visible}
        hidden = [
            ColumnVisibility(id=column.id, visible=False)
            for column in (await self.bi.datasets.get(id)).fields or ()
            if column.name in names and column.visible is not False
        ]
        if hidden:
            await self.bi.datasets.update_columns(id, ColumnChanges(update=hidden))
