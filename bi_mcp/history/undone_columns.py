"""Columns that an undo puts back, shows or hides. A deletion with an addition is one replacement: it ends with one or the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.actor import undoing
from bi_mcp.history.column_replacement import ColumnReplacer
from bi_mcp.rest.column_exchange import ColumnExchange
from bi_mcp.rest.column_replacement import create_again
from bi_mcp.rest.models import ColumnChanges, ColumnVisibility, NewColumn

if TYPE_CHECKING:
    from bi_mcp.history.entries import History
    from bi_mcp.history.undo_plan import UndoStep
    from bi_mcp.rest.datasets import Datasets
    from bi_mcp.rest.models import Column


@dataclass
class _Joined:
    """What several steps come to: codes to delete, columns to add, and what of the others to show or hide."""

    delete: list[str] = field(default_factory=list)
    add: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    show: dict[str, bool] = field(default_factory=dict)

    def follow(self, step: UndoStep) -> None:
        """Take the next step."""
        for code in step.values["delete"]:
            self.show.pop(code, None)
            self.delete.append(code)
        for column in step.values["add"]:
            self.add[column["externalCode"]] = column
        for code, visible in step.values["show"].items():
            if code in self.add:
                self.add[code] = {**self.add[code], "visible": visible}
            else:
                self.show[code] = visible


@dataclass(frozen=True)
class UndoneColumns:
    """Makes the steps of an undo that are about the columns of one dataset."""

    datasets: Datasets
    history: History | None

    async def run(self, id: int, steps: Sequence[UndoStep], change: str) -> list[str]:
        """Make the steps. Returns what did not follow."""
        joined = _Joined()
        for step in steps:
            joined.follow(step)
        added = [self._new(id, column) for column in joined.add.values()]
        hidden = [
            new for new, column in zip(added, joined.add.values(), strict=True) if not column["visible"]
        ]
        now = (await self.datasets.get(id)).fields or []
        old = [column for column in now if column.external_code in joined.delete]
        remarks: list[str] = []
        if old and added:
            exchange = ColumnExchange(id, old, [self._former(id, each) for each in old], added, hidden)
            replacer = ColumnReplacer(self.datasets, self.history, undoes=_find_undone(steps))
            remarks += (await replacer.exchange(exchange, change)).remarks
        elif old or added:
            changes = ColumnChanges(delete=[column.id for column in old] or None, add=added or None)
            with undoing(steps[-1].entry.id, change):
                await self.datasets.update_columns(id, changes)
                await show_columns(self.datasets, id, {column.external_code: False for column in hidden})
        with undoing(steps[-1].entry.id, change):
            await show_columns(self.datasets, id, joined.show)
        return remarks

    def _new(self, id: int, column: Mapping[str, Any]) -> NewColumn:
        try:
            return NewColumn.pick(dict(column))
        except ValidationError:
            raise _refusal(id, column.get("name"), column.get("type")) from None

    def _former(self, id: int, column: Column) -> NewColumn:
        former = create_again(column)
        if former is None:
            raise _refusal(id, column.name, column.type)
        return former


def join_columns(steps: Sequence[UndoStep]) -> list[list[UndoStep]]:
    """Group the steps in their order: those of one change that delete columns and then add others belong together."""
    groups: list[list[UndoStep]] = []
    for step in steps:
        if groups and _belongs(groups[-1], step):
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _belongs(group: Sequence[UndoStep], step: UndoStep) -> bool:
    last = group[-1]
    if step.action != "columns" or last.action != "columns" or step.id != last.id:
        return False
    if step.entry.change is None or step.entry.change != last.entry.change:
        return False
    # After an addition the next group begins: a second deletion may be of what was added.
    held = [name for name in ("add", "delete") if any(each.values[name] for each in group)]
    return "add" not in held and not ("delete" in held and step.values["delete"])


async def show_columns(datasets: Datasets, id: int, wanted: Mapping[str, bool]) -> None:
    """Show or hide the columns with these codes, where they are not as wanted."""
    if not wanted:
        return
    now = (await datasets.get(id)).fields or []
    columns = {column.external_code or "": column for column in now}
    changes = [
        ColumnVisibility(id=columns[code].id, visible=visible)
        for code, visible in wanted.items()
        if code in columns and columns[code].visible is not visible
    ]
    if changes:
        await datasets.update_columns(id, ColumnChanges(update=changes))


def hidden_columns(columns: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """The columns that must be hidden after their creation, since new columns are visible."""
    return {column["externalCode"]: False for column in columns if not column["visible"]}


def _find_undone(steps: Sequence[UndoStep]) -> tuple[str, str]:
    """The entries that the deletion and the addition revert."""
    deleting = next(step.entry.id for step in steps if step.values["delete"])
    adding = next(step.entry.id for step in steps if step.values["add"])
    return deleting, adding


def _refusal(id: int, name: object, kind: object) -> InvalidRequestError:
    return InvalidRequestError(
        say(
            "Nothing was sent: column {name} of dataset {id} cannot be created again (type {type}). Create it by hand.",
            id=id,
            name=name,
            type=kind,
        )
    )
