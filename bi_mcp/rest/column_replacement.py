"""Pure: columns of a dataset and what is to change in them -> the columns to delete and those to add, or why that cannot be.

A portal sets the name, code and type of a column once, and refuses to delete and add a name in one request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.column_exchange import ColumnExchange, values_of
from bi_mcp.rest.models.dataset import NEWER_TYPES, Column, NewColumn

if TYPE_CHECKING:
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.models.dataset import ColumnReplacement, Dataset


@dataclass(frozen=True)
class ReplacedColumn:
    """A column as it is, the same as it would be created again, and the column that takes its place."""

    old: Column
    former: NewColumn
    new: NewColumn

    def __str__(self) -> str:
        changes = [
            f"{before} → {after}"
            for before, after in zip(values_of(self.former), values_of(self.new), strict=True)
            if before != after
        ]
        return f"{self.old.id} {self.former.name}: {', '.join(changes)}"


@dataclass(frozen=True)
class ColumnReplacementPlan:
    """The columns of one dataset that are replaced, in the order in which they were named."""

    dataset: int
    columns: Sequence[ReplacedColumn]

    @property
    def exchange(self) -> ColumnExchange:
        """The columns that go and those that come. What takes the place of a hidden column is hidden."""
        return ColumnExchange(
            self.dataset,
            old=[column.old for column in self.columns],
            former=[column.former for column in self.columns],
            new=[column.new for column in self.columns],
            hidden=[column.new for column in self.columns if column.old.visible is False],
        )


def plan_replacement(
    dataset: Dataset, wanted: Sequence[ColumnReplacement], generation: PortalGeneration
) -> ColumnReplacementPlan:
    """Plan to replace columns. Raises `InvalidRequestError`, so that nothing is sent that a portal would refuse half-way."""
    if not wanted:
        raise _refusal(dataset, say("No column is named."))
    columns = [_replace(dataset, each) for each in wanted]
    _check_twice(dataset, "id", [str(column.old.id) for column in columns])
    unchanged = [column.former.name for column in columns if column.former == column.new]
    if unchanged:
        why = say(
            "{columns} would stay as it is. Name its new externalCode, type or name.",
            columns=", ".join(unchanged),
        )
        raise _refusal(dataset, why)
    newer = [column.new.type for column in columns if column.new.type in NEWER_TYPES]
    if newer and generation == "classic":
        raise _refusal(dataset, say("This portal has no column type {type}.", type=", ".join(newer)))
    replaced = {column.old.id for column in columns}
    left = [column for column in dataset.fields or () if column.id not in replaced]
    _check_twice(
        dataset, "name", [*(column.new.name for column in columns), *(each.name or "" for each in left)]
    )
    codes = [*(column.new.external_code for column in columns), *(each.external_code or "" for each in left)]
    _check_twice(dataset, "externalCode", codes)
    return ColumnReplacementPlan(dataset.id, columns)


def create_again(column: Column) -> NewColumn | None:
    """The column as it would be created again. None where a portal reported what it would not accept."""
    try:
        return NewColumn.pick(column.model_dump(by_alias=True))
    except ValidationError:
        return None


def _replace(dataset: Dataset, wanted: ColumnReplacement) -> ReplacedColumn:
    old = _find(dataset, wanted)
    former = create_again(old)
    if former is None:
        why = say(
            "Column {id} {name} could not be put back as it is (type {type}).",
            id=old.id,
            name=old.name,
            type=old.type,
        )
        raise _refusal(dataset, why)
    return ReplacedColumn(
        old, former, former.model_copy(update=wanted.model_dump(exclude={"id"}, exclude_none=True))
    )


def _find(dataset: Dataset, wanted: ColumnReplacement) -> Column:
    if wanted.id is None and wanted.name is None:
        raise _refusal(dataset, say("Each column is named by its id or its name."))
    for column in dataset.fields or ():
        if column.id == wanted.id or (wanted.id is None and column.name == wanted.name):
            return column
    named = wanted.name if wanted.id is None else wanted.id
    columns = ", ".join(f"{column.id} {column.name}" for column in dataset.fields or ())
    raise _refusal(
        dataset, say("There is no column {named}. The columns are {columns}.", named=named, columns=columns)
    )


def _check_twice(dataset: Dataset, what: str, values: Iterable[str]) -> None:
    repeated = [value for value, times in Counter(values).items() if times > 1]
    if repeated:
        why = say("The {what} {values} would be there twice.", what=what, values=", ".join(repeated))
        raise _refusal(dataset, why)


def _refusal(dataset: Dataset, why: str) -> InvalidRequestError:
    return InvalidRequestError(
        say(
            "Nothing was sent: the columns of dataset {id} {name} cannot be replaced. {why} Correct that and try again.",
            id=dataset.id,
            name=dataset.name,
            why=why,
        )
    )
