"""A connector's answer to `urlData` as the rows that BI Builder shows. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from bi_mcp.config import Generation
from bi_mcp.practice.portal.chart_dataset import ChartColumn, ChartDataset
from bi_mcp.practice.portal.chart_failures import ChartFailureError
from bi_mcp.practice.portal.chart_values import OLDEST, Value, is_plain, read_chart_value

Row = tuple[Value, ...]


@dataclass(frozen=True)
class Unread:
    """Number of values of a column that are not of its type, and so are missing in the chart."""

    column: str
    type: str
    count: int
    rows: int

    def __str__(self) -> str:
        return f"{self.column}: {self.count} of {self.rows} values are not of type {self.type} and are missing in the chart."


@dataclass(frozen=True)
class Picture:
    """Rows in the order of the columns."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    unread: tuple[Unread, ...] = ()


def read_answer(
    status: int, body: bytes, dataset: ChartDataset, asked: Sequence[str], generation: Generation
) -> Picture:
    """Read the rows of the columns that the chart asked for; without names, of all visible ones.

    Raises `ChartFailureError` when a user would see an empty chart.
    """
    if status != 200:
        raise ChartFailureError("status", status=status)
    # PHP takes the text 0 for empty, too.
    if body in {b"", b"0"}:
        raise ChartFailureError("no_body")
    header, *rows = _table(body)
    columns = [dataset.column(name) for name in asked] or dataset.visible
    places = _places(header, columns, by_code=generation == "tables")
    return _picture(columns, [[row[place] for place in places] for row in rows])


def _table(body: bytes) -> list[list[object]]:
    table = _json(body)
    if not isinstance(table, list) or not all(isinstance(row, list) for row in table):
        raise ChartFailureError("not_rows")
    if not table:
        raise ChartFailureError("no_header")
    if not all(is_plain(value) for row in table for value in row):
        raise ChartFailureError("not_rows")
    for number, row in enumerate(table, 1):
        if len(row) != len(table[0]):
            raise ChartFailureError("ragged", row=number, count=len(row), expected=len(table[0]))
    return table


def _json(body: bytes) -> object:
    try:
        text = body.decode("utf-8")
        parsed: object = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            # PHP's reader refuses half of a surrogate pair, which Python's lets through.
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise ChartFailureError("not_json") from None
    return parsed


def _refuse_constant(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, as PHP's reader does."""
    raise ValueError(constant)


def _places(header: Sequence[object], columns: Sequence[ChartColumn], *, by_code: bool) -> list[int]:
    """Return the position of each column. A newer portal looks for codes, a classic one for names."""
    at = {cell: place for place, cell in enumerate(header) if isinstance(cell, str)}
    missing = [column for column in columns if (column.code if by_code else column.name) not in at]
    if missing:
        names = ", ".join(column.name for column in missing)
        if {column.name if by_code else column.code for column in missing} <= set(at):
            raise ChartFailureError("names_in_header" if by_code else "codes_in_header", columns=names)
        raise ChartFailureError("columns_missing", columns=names)
    return [at[column.code if by_code else column.name] for column in columns]


def _picture(columns: Sequence[ChartColumn], rows: Sequence[Sequence[object]]) -> Picture:
    unread = dict.fromkeys((column.name for column in columns), 0)
    picture_rows = []
    for number, row in enumerate(rows, 2):
        values = [_read_cell(value, column, unread) for value, column in zip(row, columns, strict=True)]
        for value, column in zip(values, columns, strict=True):
            is_time = column.type.lower() in {"date", "datetime"}
            if is_time and isinstance(value, str) and value[: len(OLDEST)] <= OLDEST:
                raise ChartFailureError("old_date", row=number, value=value, column=column.name)
        picture_rows.append(tuple(values))
    notes = tuple(
        Unread(column.name, column.type, unread[column.name], len(rows))
        for column in columns
        if unread[column.name]
    )
    return Picture(tuple(column.name for column in columns), tuple(picture_rows), notes)


def _read_cell(value: object, column: ChartColumn, unread: dict[str, int]) -> Value:
    try:
        return read_chart_value(value, column.type)
    except (ValueError, OverflowError):
        unread[column.name] += 1
        return None
