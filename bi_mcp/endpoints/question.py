"""A chart's question to a dataset: columns by name, a date range, conditions, a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from bi_mcp.endpoints.operators import Operator


@dataclass(frozen=True)
class DatasetColumn:
    """A column as the portal holds it: charts know its `name`, the connector its `code`."""

    name: str
    code: str
    type: str = "string"
    visible: bool = True


@dataclass(frozen=True)
class Condition:
    """A condition on a column, by its name. `excluded`: the rows that do not satisfy it. Dates are ISO texts."""

    column: str
    operator: Operator
    values: tuple[object, ...] = ()
    excluded: bool = False


@dataclass(frozen=True)
class DateRange:
    """The days of a time column that a chart shows, both included; None: open at that end."""

    column: str
    first: date | None = None
    last: date | None = None


# Joined by OR; the groups of a question are joined by AND.
Group: TypeAlias = tuple[Condition, ...]


@dataclass(frozen=True)
class Question:
    """Question of a chart. Without `columns` all visible ones; without `limit` all rows."""

    columns: tuple[str, ...] = ()
    dates: DateRange | None = None
    groups: tuple[Group, ...] = ()
    limit: int | None = None


def ask_all(*conditions: Condition) -> tuple[Group, ...]:
    """Join conditions by AND, as a chart with several conditions does."""
    return tuple((condition,) for condition in conditions)


def find_column(columns: Sequence[DatasetColumn], name: str) -> DatasetColumn | None:
    """Find a column by its name, else by its code if only one column has it."""
    for column in columns:
        if column.name == name:
            return column
    coded = [column for column in columns if column.code == name]
    return coded[0] if len(coded) == 1 else None
