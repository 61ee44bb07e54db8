"""The types of SQLite's columns: what is declared, where all values fit it, else what the values are.

Nobody is held to a declaration there, and views and many tables have none. SQLite has no type for dates: a column that is
declared as TEXT, or not at all, and holds nothing but dates is a column of dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bi_mcp.connector.columns import Type
from bi_mcp.connector.databases.dialects.dialect import Expression, Form, LeftOut
from bi_mcp.connector.databases.dialects.forms import cast_to


def shown_text(operand: Expression) -> Expression:
    return sa.cast(operand, sa.Text)


def finite(operand: Expression) -> Expression:
    return sa.and_(operand > sa.literal_column("-9e999"), operand < sa.literal_column("9e999"))


def _seconds(operand: Expression) -> Expression:
    return sa.func.replace(sa.func.substr(operand, 1, 19), "T", " ")


FORMS: Mapping[Type, Form] = {
    "int": Form("int", "whole"),
    "double": Form("double", "double", read=cast_to(sa.REAL), present=finite),
    "date": Form("date", "text"),
    "datetime": Form("datetime", "text", operand=_seconds),
    "string": Form("string", "text", operand=shown_text),
}

# The first that a declaration contains, in the order of SQLite's own rules of affinity, and the types that people expect.
_DECLARED: Mapping[str, Type] = {
    "point": "double",
    "int": "int",
    "bool": "int",
    "char": "string",
    "clob": "string",
    "text": "string",
    "datetime": "datetime",
    "timestamp": "datetime",
    "date": "date",
    "real": "double",
    "floa": "double",
    "doub": "double",
    "dec": "double",
    "num": "double",
    "money": "double",
    "currency": "double",
}


def declared_type(declared: str) -> Type | None:
    """Read a declaration; None when it says nothing."""
    name = declared.lower()
    return next((type for part, type in _DECLARED.items() if part in name), None)


# SQLite bounds the columns of a result; a table may have more.
COLUMNS_AT_ONCE = 200

_BINARY = LeftOut("It holds binary data.")


@dataclass(frozen=True)
class _Counts:
    """How many values of a column there are, and how many of each kind."""

    values: int
    integers: int
    reals: int
    binaries: int
    dates: int
    moments: int

    def fit(self, type: Type) -> bool:
        numbers = self.integers + self.reals
        fitting = {"int": self.integers, "double": numbers, "date": self.dates, "datetime": self.moments}
        return fitting.get(type, self.values) == self.values


def examine_values(
    session: sa.Connection, table: str, declared: Mapping[str, str]
) -> dict[str, Form | LeftOut]:
    """Choose the forms of a table's columns. Reads the whole table once."""
    names = list(declared)
    counts: dict[str, _Counts] = {}
    for at in range(0, len(names), COLUMNS_AT_ONCE):
        counts |= _count(session, table, names[at : at + COLUMNS_AT_ONCE])
    return {name: _choose(declared[name] or "", counts[name]) for name in names}


def _choose(declared: str, counts: _Counts) -> Form | LeftOut:
    is_binary = "blob" in declared.lower()
    if (is_binary and not counts.values) or (counts.values and counts.binaries == counts.values):
        return _BINARY
    type = declared_type(declared)
    may_be_dates = type is None or declared.strip().lower() == "text"
    if type is not None and not (may_be_dates and counts.values) and counts.fit(type):
        return FORMS[type]
    if not counts.values:
        return FORMS["string"]
    tried: tuple[Type, ...] = (
        ("date", "datetime") if type == "string" else ("int", "double", "date", "datetime")
    )
    return FORMS[next((type for type in tried if counts.fit(type)), "string")]


def _count(session: sa.Connection, table: str, names: list[str]) -> dict[str, _Counts]:
    queried = sa.table(table, *(sa.column(name) for name in names)).alias("t")
    counted = [part for name in names for part in _parts(queried.c[name])]
    row = session.execute(sa.select(*(part.label(f"n{at}") for at, part in enumerate(counted)))).one()
    kinds = len(counted) // len(names)
    return {
        name: _Counts(*(int(number or 0) for number in row[at * kinds : (at + 1) * kinds]))
        for at, name in enumerate(names)
    }


def _parts(column: Expression) -> list[Expression]:
    kind = sa.func.typeof(column)
    # The shift by no days makes SQLite turn 30 February into a day of March, which then differs.
    day = sa.and_(sa.func.length(column) == 10, sa.func.date(column, "+0 days") == column)
    written = sa.func.replace(sa.func.substr(column, 1, 19), "T", " ")
    second = sa.and_(
        sa.func.length(column) >= 19, sa.func.strftime("%Y-%m-%d %H:%M:%S", column, "+0 days") == written
    )
    return [
        sa.func.count(column),
        _number_of(kind == "integer"),
        _number_of(sa.and_(kind == "real", finite(column))),
        _number_of(kind == "blob"),
        _number_of(sa.and_(kind == "text", day)),
        _number_of(sa.and_(kind == "text", second)),
    ]


def _number_of(condition: Expression) -> Expression:
    # Short-circuit: the dates of numbers are not worked out.
    return sa.func.sum(sa.case((condition, 1), else_=0))
