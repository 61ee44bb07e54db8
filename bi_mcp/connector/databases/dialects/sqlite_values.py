"""The types of SQLite's columns: what is declared, where all values fit it, else what the values are.

Nobody is held to a declaration there, and views and many tables have none. SQLite has no type for dates: a column that is
declared as TEXT, or not at all, and holds nothing but dates is a column of dates.

Of large tables the first and the last rows are looked at, of large views and tables without row numbers the first ones. A
value that was not seen and does not fit is sent as null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from bi_mcp.connector.columns import Type
from bi_mcp.connector.databases.dialects.dialect import Examined, Expression, Form, LeftOut, Shape
from bi_mcp.connector.databases.dialects.forms import cast_to
from bi_mcp.connector.databases.dialects.left_out import BINARY
from bi_mcp.connector.options import SourceOptions


def shown_text(operand: Expression) -> Expression:
    return sa.cast(operand, sa.Text)


def finite(operand: Expression) -> Expression:
    return sa.and_(operand > sa.literal_column("-9e999"), operand < sa.literal_column("9e999"))


def _seconds(operand: Expression) -> Expression:
    return sa.func.replace(sa.func.substr(operand, 1, 19), "T", " ")


# What the values of a column are: a type, or `second`, moments that are written as they are sent and need no change.
Kind: TypeAlias = Literal["int", "double", "date", "second", "datetime", "string"]

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
# Rows that are looked at before all others: most guesses that are wrong fail with them.
FIRST_ROWS = 200
# Values that are looked at, and fewest rows.
MOST_VALUES = 500_000
FEWEST_ROWS = 1000
# Tables with fewer rows are looked at again whenever something was written.
SMALL = 5000

_KINDS: tuple[Kind, ...] = ("int", "double", "date", "second", "datetime")


def _kind(operand: Expression) -> Expression:
    return sa.func.typeof(operand)


def _is_number(operand: Expression) -> Expression:
    return sa.or_(_kind(operand) == "integer", sa.and_(_kind(operand) == "real", finite(operand)))


def _is_date(operand: Expression) -> Expression:
    # The shift by no days makes SQLite turn 30 February into a day of March, which then differs.
    day = sa.func.date(operand, "+0 days") == operand
    return sa.and_(_kind(operand) == "text", sa.func.length(operand) == 10, day)


def _is_datetime(operand: Expression) -> Expression:
    second = sa.func.strftime("%Y-%m-%d %H:%M:%S", operand, "+0 days") == _seconds(operand)
    return sa.and_(_kind(operand) == "text", sa.func.length(operand) >= 19, second)


def _is_second(operand: Expression) -> Expression:
    return sa.and_(_is_datetime(operand), _seconds(operand) == operand)


_FITS: Mapping[Kind, Shape] = {
    "int": lambda operand: _kind(operand) == "integer",
    "double": _is_number,
    "date": _is_date,
    "second": _is_second,
    "datetime": _is_datetime,
}


FORMS: Mapping[Kind, Form] = {
    "int": Form("int", "whole", present=_FITS["int"]),
    "double": Form("double", "double", read=cast_to(sa.REAL), present=_FITS["double"]),
    "date": Form("date", "text", present=_FITS["date"]),
    "second": Form("datetime", "text", present=_FITS["second"]),
    "datetime": Form("datetime", "text", operand=_seconds, present=_FITS["second"]),
    "string": Form("string", "text", operand=shown_text),
}

# For texts of a named encoding; `decoded` is a function of ours.
_DECODED = Form(
    "string", "text", operand=lambda column: sa.func.decoded(sa.cast(column, sa.LargeBinary), type_=sa.Text())
)


@dataclass(frozen=True)
class _Found:
    """What the values of a column are: whether there are any, and any but binaries, and the types that all of them fit."""

    has_values: bool
    is_readable: bool
    fitting: tuple[Kind, ...]

    @property
    def is_string(self) -> bool:
        return self.is_readable and not self.fitting


def examine_values(
    session: sa.Connection, table: str, declared: Mapping[str, str], options: SourceOptions
) -> Examined:
    """Choose the forms of a table's columns. Looks at some rows, and at more to confirm what those say."""
    number = _row_number(session, table, declared)
    candidates = {name: _candidates(text) for name, text in declared.items()}
    # A text stays one, whatever is in it.
    asked = {name: types for name, types in candidates.items() if types is not None}
    sample = _Sample(session, table, number)
    found = _look(session, sample.first(asked, FIRST_ROWS), asked)
    asked = {name: first.fitting for name, first in found.items() if not first.is_string}
    found |= _look(session, sample.take(asked, max(FEWEST_ROWS, MOST_VALUES // max(1, len(asked)))), asked)
    chosen = {name: _choose(text, found.get(name)) for name, text in declared.items()}
    if options.encoding is not None:
        chosen = {name: _DECODED if form is FORMS["string"] else form for name, form in chosen.items()}
    return Examined(chosen, is_costly=sample.is_larger_than(SMALL))


def schema_version(session: sa.Connection) -> object:
    """Ask for a number that changes with every declaration."""
    return session.exec_driver_sql("PRAGMA schema_version").scalar()


def _row_number(session: sa.Connection, table: str, declared: Mapping[str, str]) -> str | None:
    """Find the name of a row's number; None for views, and for tables that do not number their rows."""
    known = {name.lower() for name in declared}
    name = next((name for name in ("rowid", "_rowid_", "oid") if name not in known), None)
    statement = "SELECT 1 FROM sqlite_master WHERE name = :table AND type = 'table' AND rootpage > 0"
    if name is None or session.execute(sa.text(statement), {"table": table}).first() is None:
        return None
    try:
        session.execute(sa.select(sa.table(table, sa.column(name)).alias("t").c[name]).limit(0)).all()
    except DBAPIError:
        return None
    return name


@dataclass(frozen=True)
class _Sample:
    """Rows of a table to look at."""

    session: sa.Connection
    table: str
    number: str | None

    def first(self, names: Iterable[str], rows: int) -> sa.FromClause:
        source = self._source(names)
        return sa.select(*(source.c[name] for name in names)).limit(rows).subquery("t")

    def take(self, names: Iterable[str], rows: int) -> sa.FromClause:
        """Take all rows of a small table; of a large one, half as many from each of its ends."""
        if self.number is None:
            return self.first(names, rows)
        source = self._source(names)
        if not self.is_larger_than(rows):
            return source
        number, chosen = source.c[self.number], sa.select(*(source.c[name] for name in names))
        ends = [chosen.order_by(order).limit(rows // 2).subquery() for order in (number, number.desc())]
        return sa.union_all(*(sa.select(end) for end in ends)).subquery("t")

    def is_larger_than(self, rows: int) -> bool:
        """Tell whether a table has more rows. Where they have no numbers, whoever asks must reckon with it."""
        if self.number is None:
            return True
        number = self._source(()).c[self.number]
        return (
            self.session.execute(sa.select(number).order_by(number).limit(1).offset(rows)).first() is not None
        )

    def _source(self, names: Iterable[str]) -> sa.FromClause:
        numbers = [self.number] if self.number else []
        return sa.table(self.table, *(sa.column(name) for name in (*names, *numbers))).alias("t")


def _candidates(declared: str) -> tuple[Kind, ...] | None:
    """List the types that a column may have instead of a text, the likeliest first; None when it is a text anyway."""
    type = declared_type(declared)
    if type is None:
        return _KINDS
    if declared.strip().lower() == "text":
        return ("date", "second", "datetime")
    likeliest: tuple[Kind, ...] = ("second", "datetime") if type == "datetime" else (type,)
    return None if type == "string" else tuple(dict.fromkeys((*likeliest, *_KINDS)))


def _choose(declared: str, found: _Found | None) -> Form | LeftOut:
    if found is None:
        return FORMS["string"]
    if not found.has_values:
        return BINARY if "blob" in declared.lower() else FORMS[declared_type(declared) or "string"]
    if not found.is_readable:
        return BINARY
    return FORMS[found.fitting[0] if found.fitting else "string"]


def _look(
    session: sa.Connection, source: sa.FromClause, asked: Mapping[str, tuple[Kind, ...]]
) -> dict[str, _Found]:
    names = list(asked)
    found: dict[str, _Found] = {}
    for at in range(0, len(names), COLUMNS_AT_ONCE):
        part = names[at : at + COLUMNS_AT_ONCE]
        questions = [question for name in part for question in _questions(source.c[name], asked[name])]
        labelled = (question.label(f"n{number}") for number, question in enumerate(questions))
        answers = iter(session.execute(sa.select(*labelled)).one())
        found |= {name: _read(answers, asked[name]) for name in part}
    return found


def _questions(column: Expression, types: tuple[Kind, ...]) -> list[Expression]:
    missing = column.is_(None)
    fits = [sa.func.min(sa.case((missing, 1), (_FITS[type](column), 1), else_=0)) for type in types]
    readable = sa.case((missing, 0), (_kind(column) == "blob", 0), else_=1)
    return [sa.func.max(sa.case((missing, 0), else_=1)), sa.func.max(readable), *fits]


def _read(answers: Iterator[Any], types: tuple[Kind, ...]) -> _Found:
    has_values, is_readable = bool(next(answers)), bool(next(answers))
    # Of a table without rows nothing is known: every type fits.
    fitting = [(type, next(answers)) for type in types]
    return _Found(has_values, is_readable, tuple(type for type, fits in fitting if fits != 0))
