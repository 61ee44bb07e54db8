"""Tables of an external system as plain data, with the columns of the dataset that is made of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Cell: TypeAlias = int | float | str | None
Row: TypeAlias = Mapping[str, Cell]
Type: TypeAlias = Literal["int", "double", "string", "date", "datetime"]


@dataclass(frozen=True)
class Column:
    """A column: its external code, its type, and the name that the dataset gives it."""

    code: str
    type: Type
    name: str


@dataclass(frozen=True)
class Table:
    """Rows are keyed by the columns' codes; days and moments are text as in an answer; None is a missing value."""

    code: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def column(self, code: str) -> Column:
        return next(column for column in self.columns if column.code == code)


_COLUMNS: tuple[tuple[str, Type], ...] = (
    ("order_id", "int"),
    ("carrier", "string"),
    ("delay", "int"),
    ("total", "double"),
    ("day", "date"),
    ("seen_at", "datetime"),
    ("tail", "string"),
)

# As text 9 is more than 100. Days beyond the twelfth tell day from month, others do not.
_VALUES: tuple[tuple[Cell, ...], ...] = (
    (1, "UA", 9, 100.5, "2025-01-02", "2025-01-02 08:15:00", "N101"),
    (2, "AA", 100, 20.25, "2025-02-01", "2025-02-01 23:10:05", None),
    (3, "DL", -4, 9.75, "2024-01-31", "2024-01-31 00:00:00", "N103"),
    (4, "UA", 0, 1000.0, "2024-03-04", "2024-03-04 12:00:00", "X104"),
    (5, "B6", None, 75.5, "2025-04-03", "2025-04-03 18:30:59", "N105"),
    (6, "AA", 25, None, "2025-05-15", "2025-05-15 06:45:30", None),
    (7, "WN", 5, 8.5, "2025-05-31", "2025-05-31 23:59:59", "N107"),
    (8, "UA", 33, 310.0, "2025-06-05", "2025-06-05 09:09:09", "N101"),
    (9, "DL", 1, 20.25, None, "2025-05-06 14:00:00", "N109"),
    (10, "Ünited", 9, 64.0, "2025-06-30", None, "N110"),
    (11, "AA", 250, 5.25, "2026-07-08", "2026-07-08 21:21:21", "N111"),
    (12, None, 12, 12.5, "2025-08-07", "2025-08-07 03:03:03", "N112"),
    (13, "B6", 60, 47.0, "2025-09-19", "2025-09-19 17:00:00", None),
    (14, "WN", 7, 99.5, "2026-10-10", "2026-10-10 10:10:10", "N114"),
)


def shop(*, capitals: bool = False) -> Table:
    """Orders of a shop. `capitals`: the codes are legal column names already, as they should be."""
    columns = tuple(Column(code.upper() if capitals else code, kind, code.upper()) for code, kind in _COLUMNS)
    codes = [column.code for column in columns]
    return Table("orders", columns, tuple(dict(zip(codes, values, strict=True)) for values in _VALUES))
