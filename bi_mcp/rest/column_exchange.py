"""Pure: columns of a dataset that go and others that come, compared with the columns that are there.

A column is the same where its name, code and type are: after a deletion it can only come back with a new id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bi_mcp.rest.models.dataset import Column, ColumnChanges, ColumnVisibility, NewColumn

Values = tuple[str | None, str | None, str | None]


@dataclass(frozen=True)
class ColumnExchange:
    """The columns of a dataset that go, each also as it would be created again, and those that come.

    `hidden`: those of the new columns that are not to be visible.
    """

    dataset: int
    old: Sequence[Column]
    former: Sequence[NewColumn]
    new: Sequence[NewColumn]
    hidden: Sequence[NewColumn] = ()

    @property
    def method(self) -> str:
        """The method that makes the changes."""
        return "biconnector.dataset.fields.update"

    @property
    def deletion(self) -> ColumnChanges:
        """The first request."""
        return ColumnChanges(delete=[column.id for column in self.old])

    @property
    def addition(self) -> ColumnChanges:
        """The second request."""
        return ColumnChanges(add=list(self.new))

    def find_added(self, present: Iterable[Column]) -> list[Column]:
        """The new columns among those that are there, once all of them are; else none."""
        by_values = {values_of(column): column for column in present}
        found = [by_values.get(values_of(column)) for column in self.new]
        return [column for column in found if column is not None] if all(found) else []

    def find_former(self, present: Iterable[Column]) -> list[Column]:
        """The former columns that are there, under whatever id."""
        former = {values_of(column) for column in self.former}
        return [column for column in present if values_of(column) in former]

    def is_deleted(self, present: Iterable[Column]) -> bool:
        """True if one of the old columns is gone, whatever took its place."""
        return not {column.id for column in self.old} <= {column.id for column in present}

    def missing(self, present: Iterable[Column]) -> list[NewColumn]:
        """The former columns that are not there."""
        there = {values_of(column) for column in present}
        return [column for column in self.former if values_of(column) not in there]

    def find_in_the_way(self, present: Iterable[Column], wanted: Iterable[NewColumn]) -> list[Column]:
        """The columns that have the name or the code of a wanted one: a portal would refuse it."""
        columns = list(wanted)
        names = {column.name for column in columns}
        codes = {column.external_code for column in columns}
        return [column for column in present if column.name in names or column.external_code in codes]

    def addable(self, present: Sequence[Column]) -> list[NewColumn]:
        """The missing former columns whose names and codes are free."""
        return [column for column in self.missing(present) if not self.find_in_the_way(present, [column])]

    def hiding(self, present: Iterable[Column], *, restored: bool = False) -> ColumnChanges | None:
        """The request that hides the new columns that are to be hidden, or with `restored` the former ones again."""
        again = zip(self.old, self.former, strict=True)
        wanted = [new for old, new in again if old.visible is False] if restored else self.hidden
        hidden = {values_of(column) for column in wanted}
        changes = [
            ColumnVisibility(id=column.id, visible=False)
            for column in present
            if values_of(column) in hidden and column.visible is not False
        ]
        return ColumnChanges(update=changes) if changes else None


def values_of(column: Column | NewColumn) -> Values:
    """What makes a column the same: its name, code and type."""
    return column.name, column.external_code, column.type
