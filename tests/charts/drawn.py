"""Tables and questions drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from tests.charts.questions import (
    CULTURES,
    GENERATIONS,
    PREFIXES,
    Condition,
    DateRange,
    Dialect,
    Group,
    Question,
    Value,
)
from tests.charts.tables import Cell, Column, Table, Type

TYPES: tuple[Type, ...] = get_args(Type)
CODES = ("id", "Carrier", "TOTAL", "day", "seen_at", "x1", "Delay_min", "LOGIC2")
# What patterns, forms, CSV and SQL give a meaning to.
LETTERS = "abABяЯ01 %_'\"[]&=;+\\/<>!.-:,*?#"
MIDNIGHT = datetime(1901, 1, 1)  # noqa: DTZ001 - tables keep moments without a zone
SECONDS = 60 * 60 * 24 * 365 * 150


@dataclass(frozen=True)
class Case:
    """A table, and questions about it in one dialect."""

    table: Table
    dialect: Dialect
    questions: tuple[Question, ...]


_NUMBERS = st.integers(-300, 300) | st.integers(-(10**12), 10**12)
_MOMENTS = st.integers(0, SECONDS).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds))
_VALUES: Mapping[Type, st.SearchStrategy[Any]] = {
    "int": _NUMBERS,
    "double": st.integers(-30_000, 30_000).map(lambda number: number / 100),
    "string": st.text(LETTERS, min_size=1, max_size=6) | st.sampled_from(["0", "1", "АБВ", "NULL", "true"]),
    "date": _MOMENTS.map(datetime.date),
    "datetime": _MOMENTS | _MOMENTS.map(lambda moment: datetime(moment.year, moment.month, 1)),  # noqa: DTZ001 - as above
}
# Values of which each tells its type, also to a reader of CSV files.
_TELLING: Mapping[Type, Cell] = {
    "int": 7,
    "double": 0.5,
    "string": "zeta",
    "date": "2025-02-03",
    "datetime": "2025-02-03 04:05:06",
}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a table, a dialect and some questions."""
    dialect = Dialect(
        draw(st.sampled_from(GENERATIONS)), draw(st.sampled_from(CULTURES)), draw(st.sampled_from(("", "0")))
    )
    codes = draw(st.lists(st.sampled_from(CODES), min_size=3, max_size=6, unique=True))
    names = [code.upper() for code in codes]
    # With mapFields any column may have any name, also one that is another's code.
    moved = dialect.generation == "tables" and draw(st.booleans())
    if moved:
        names = draw(st.permutations(names))
    columns = tuple(
        Column(code, draw(st.sampled_from(TYPES)), name) for code, name in zip(codes, names, strict=True)
    )
    pools = {column.code: draw(_pools(column)) for column in columns}
    table = Table("drawn", columns, draw(_rows(columns, pools)))
    questions = draw(st.lists(_questions(table, pools, moved=moved), min_size=1, max_size=4))
    return Case(table, dialect, tuple(questions))


def _pools(column: Column) -> st.SearchStrategy[list[Value]]:
    """Draw few values, so that conditions meet some of them."""
    return st.lists(_VALUES[column.type], min_size=1, max_size=4)


def _rows(columns: Sequence[Column], pools: Mapping[str, Sequence[Value]]) -> st.SearchStrategy[Any]:
    telling = {column.code: _TELLING[column.type] for column in columns}
    cells = [
        st.none() | st.sampled_from([_shown(value) for value in pools[column.code]]) for column in columns
    ]
    row = st.tuples(*cells).map(lambda values: dict(zip(telling, values, strict=True)))
    return st.lists(row, max_size=12).map(lambda rows: (telling, *rows))


def _shown(value: Value) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


@st.composite
def _questions(
    draw: st.DrawFn, table: Table, pools: Mapping[str, Sequence[Value]], *, moved: bool
) -> Question:
    codes = [column.code for column in table.columns]
    select = tuple(draw(st.just([]) | st.lists(st.sampled_from(codes), min_size=1, unique=True)))
    # A portal maps the selected columns only, so nobody could find another one by a name that is not its code.
    usable = [table.column(code) for code in (select if moved and select else codes)]
    times: list[Column] = [column for column in usable if column.type in {"date", "datetime"}]
    condition = st.sampled_from(usable).flatmap(lambda column: _conditions(column, pools[column.code]))
    group = st.builds(
        Group, st.lists(condition, min_size=1, max_size=3).map(tuple), st.sampled_from(("OR", "OR", "AND"))
    )
    return Question(
        select=select,
        dates=draw(st.none() | _ranges(times, pools)) if times else None,
        groups=tuple(draw(st.lists(group, max_size=3))),
        plain=tuple(draw(st.lists(st.sampled_from(usable).flatmap(_plain), max_size=1))),
        limit=draw(st.none() | st.integers(1, 14)),
    )


def _conditions(column: Column, pool: Sequence[Value]) -> st.SearchStrategy[Condition]:
    values = st.sampled_from(pool) | _VALUES[column.type]
    several = st.lists(values, min_size=1, max_size=4).map(tuple)
    given: Mapping[str, st.SearchStrategy[tuple[Value, ...]]] = {
        "one of": several,
        "contains": st.lists(_parts(values), min_size=1, max_size=2).map(tuple),
        "between": st.lists(values, min_size=2, max_size=2).map(sorted).map(tuple),
        "empty": st.just(()),
    }
    operators = sorted(PREFIXES.keys() - ({"contains"} if column.type in {"date", "datetime"} else set()))
    return st.sampled_from(operators).flatmap(
        lambda operator: st.builds(
            Condition,
            st.just(column.code),
            st.just(operator),
            given.get(operator, st.lists(values, min_size=1, max_size=1).map(tuple)),
            st.booleans(),
        )
    )


def _plain(column: Column) -> st.SearchStrategy[Condition]:
    """Draw a condition with a bare value; no value that might be the test for missing ones."""
    values = _VALUES[column.type].filter(lambda value: str(value) not in {"", "0"})
    operators = st.sampled_from(("one of", "greater", "greater or equal", "less", "less or equal"))
    return st.builds(Condition, st.just(column.code), operators, st.tuples(values), st.booleans())


def _parts(values: st.SearchStrategy[Value]) -> st.SearchStrategy[str]:
    return st.builds(lambda value, at: str(value)[at : at + 2] or str(value), values, st.integers(0, 3))


def _ranges(times: Sequence[Column], pools: Mapping[str, Sequence[Value]]) -> st.SearchStrategy[DateRange]:
    return st.sampled_from(times).flatmap(
        lambda column: st.lists(
            st.sampled_from(pools[column.code]) | _VALUES["date"], min_size=2, max_size=2
        ).map(lambda ends: _range(column.code, ends))
    )


def _range(code: str, ends: Sequence[Value]) -> DateRange:
    first, last = sorted(
        end.date() if isinstance(end, datetime) else end for end in ends if isinstance(end, date)
    )
    return DateRange(code, first, last)
