"""The unfiltered rows of a table as typed values: what the answer to a chart's question is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from bi_mcp.endpoints.dates import read_iso
from bi_mcp.endpoints.question import DatasetColumn

Value: TypeAlias = int | float | str | date | datetime
# None: the value is missing.
TypedRow: TypeAlias = Mapping[str, "Value | None"]


class UnreadableError(ValueError):
    """A value that is not of its column's type."""


@dataclass(frozen=True)
class ChartSample:
    """Rows by column name. `complete`: they are the whole table. `suitable`: the columns that conditions can be tried on."""

    columns: Sequence[DatasetColumn]
    rows: Sequence[TypedRow]
    complete: bool
    suitable: Sequence[DatasetColumn]

    def distinct(self, column: DatasetColumn) -> list[Value]:
        """The values of a column in ascending order, each once."""
        found = {row[column.name] for row in self.rows}
        values = [value for value in found if value is not None]
        return sorted(
            values, key=lambda value: (value, "") if isinstance(value, int | float) else (0, str(value))
        )


def read_sample(
    columns: Sequence[DatasetColumn],
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    complete: bool,
) -> ChartSample:
    """Read rows whose header holds codes. Columns with values of another type are not suitable, nor are those of one value."""
    by_code = {column.code: column for column in columns}
    places = {
        by_code[code].name: place for place, code in reversed(list(enumerate(header))) if code in by_code
    }
    present = [column for column in columns if column.name in places]
    whole = [row for row in rows if len(row) == len(header)]
    typed = [_read_row(row, present, places) for row in whole]
    values = {column.name: {row[column.name] for row in typed} for column in present}
    suitable = [
        column
        for column in present
        if _UNREAD not in values[column.name] and len(values[column.name] - {None, ""}) > 1
    ]
    read = [
        {column.name: value for column in suitable if not isinstance(value := row[column.name], _Unread)}
        for row in typed
    ]
    return ChartSample(present, read, complete, suitable)


def read_value(value: object, type_: str) -> Value | None:
    """Read an answered value by its column's type; None where it is missing. Raises UnreadableError."""
    if value is None:
        return None
    if type_ in {"int", "double", "money"}:
        return _read_number(value)
    if type_ in {"date", "datetime"}:
        return _read_moment(value, type_)
    if isinstance(value, bool | list | dict):
        raise UnreadableError
    return str(value)


@dataclass(frozen=True)
class _Unread:
    """A placeholder for a value that is not of its column's type."""


_UNREAD = _Unread()


def _read_row(
    row: Sequence[object], columns: Sequence[DatasetColumn], places: Mapping[str, int]
) -> dict[str, Value | _Unread | None]:
    read = dict[str, Value | _Unread | None]()
    for column in columns:
        try:
            read[column.name] = read_value(row[places[column.name]], column.type)
        except UnreadableError:
            read[column.name] = _UNREAD
    return read


def _read_number(value: object) -> int | float:
    number = _parse_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise UnreadableError
    return number


def _parse_number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _read_moment(value: object, type_: str) -> date | datetime:
    moment = read_iso(value) if isinstance(value, str) else None
    if isinstance(moment, datetime) is not (type_ == "datetime") or moment is None:
        raise UnreadableError
    # A fraction of a second is rounded or cut on the way, so comparisons with it prove nothing.
    if isinstance(moment, datetime) and moment.microsecond:
        raise UnreadableError
    return moment
