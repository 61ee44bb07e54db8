"""Questions of charts, and their encoding as the form that Bitrix24 sends to `urlData`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from tests.charts.tables import Table, Type

Generation: TypeAlias = Literal["classic", "tables"]
Culture: TypeAlias = Literal["ru", "de", "en", "en-gb", "iso"]
Value: TypeAlias = int | float | str | date | datetime
Pairs: TypeAlias = Sequence[tuple[str, str]]

GENERATIONS: tuple[Generation, ...] = ("classic", "tables")
CULTURES: tuple[Culture, ...] = ("ru", "de", "en", "en-gb", "iso")

# The prefix of each condition's key; an excluded one has an exclamation mark before it.
PREFIXES: Mapping[str, str] = {
    "one of": "=",
    "contains": "%",
    "between": "><",
    "greater": ">",
    "greater or equal": ">=",
    "less": "<",
    "less or equal": "<=",
    "empty": "=",
}


@dataclass(frozen=True)
class Condition:
    """A condition on a column, by its code. `operator` is a key of PREFIXES; "empty" takes no values."""

    column: str
    operator: str
    values: tuple[Value, ...] = ()
    excluded: bool = False


@dataclass(frozen=True)
class Group:
    """Conditions joined by `logic`."""

    members: tuple[Condition, ...]
    logic: Literal["OR", "AND"] = "OR"


@dataclass(frozen=True)
class DateRange:
    """All moments from the first day's beginning to the last day's end."""

    column: str
    first: date
    last: date


@dataclass(frozen=True)
class Question:
    """A chart's question. `plain` are conditions in the form of documented samples: outside of groups, with a bare value."""

    select: tuple[str, ...] = ()
    dates: DateRange | None = None
    groups: tuple[Group, ...] = ()
    plain: tuple[Condition, ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Dialect:
    """How a portal writes. `false` is the form encoding of *false*; it stands in the test for missing values."""

    generation: Generation = "tables"
    culture: Culture = "ru"
    false: Literal["", "0"] = "0"


def ask_one(condition: Condition) -> Question:
    """Make a question of one condition."""
    return Question(groups=(Group((condition,)),))


def encode(table: Table, question: Question, dialect: Dialect) -> Pairs:
    """Encode a question as the pairs of a form, without the source's settings."""
    return list(_pairs(table, question, dialect))


def body(pairs: Pairs, connection: Mapping[str, str]) -> bytes:
    """Write the pairs and the source's settings as a form."""
    settings = [(f"connection[{code}]", value) for code, value in connection.items()]
    return urlencode([*pairs, *settings]).encode()


def _pairs(table: Table, question: Question, dialect: Dialect) -> Iterator[tuple[str, str]]:
    yield "table", table.code
    for number, code in enumerate(question.select):
        yield f"select[{number}]", table.column(code).name
    if question.dates is not None:
        yield from _range(table, question.dates, dialect)
    for condition in question.plain:
        [value] = condition.values
        yield f"filter{_key(table, condition)}", write(value, table.column(condition.column).type, dialect)
    for number, group in enumerate(question.groups):
        yield from _group(table, f"filter[{number}]", group, dialect)
    if question.limit is not None:
        yield "limit", str(question.limit)
    if dialect.generation == "tables":
        chosen = question.select or [column.code for column in table.columns]
        for code in chosen:
            yield f"mapFields[{code}]", table.column(code).name


def _range(table: Table, dates: DateRange, dialect: Dialect) -> Iterator[tuple[str, str]]:
    column = table.column(dates.column)
    end = datetime.combine(dates.last, time(23, 59, 59))
    yield f"filter[>={column.name}]", write(dates.first, column.type, dialect)
    yield f"filter[<={column.name}]", write(end, column.type, dialect)


def _group(table: Table, path: str, group: Group, dialect: Dialect) -> Iterator[tuple[str, str]]:
    yield f"{path}[LOGIC]", group.logic
    for number, condition in enumerate(group.members):
        key = f"{path}[{number}]{_key(table, condition)}"
        if condition.operator == "empty":
            yield key, dialect.false
        for place, value in enumerate(condition.values):
            yield f"{key}[{place}]", write(value, table.column(condition.column).type, dialect)


def _key(table: Table, condition: Condition) -> str:
    prefix = ("!" if condition.excluded else "") + PREFIXES[condition.operator]
    return f"[{prefix}{table.column(condition.column).name}]"


def write(value: Value, type: Type, dialect: Dialect) -> str:
    """Write a value as the portal does: a day in the short form, a moment and any value of a `datetime` column in the long one."""
    if isinstance(value, date) and type == "datetime" and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime):
        return f"{_DAYS[dialect.culture](value)} {_clock(value, dialect.culture)}"
    if isinstance(value, date):
        return _DAYS[dialect.culture](value)
    return str(value)


_DAYS: Mapping[Culture, Callable[[date], str]] = {
    "ru": lambda day: f"{day.day:02}.{day.month:02}.{day.year:04}",
    "de": lambda day: f"{day.day:02}.{day.month:02}.{day.year:04}",
    "en": lambda day: f"{day.month:02}/{day.day:02}/{day.year:04}",
    "en-gb": lambda day: f"{day.day:02}/{day.month:02}/{day.year:04}",
    "iso": lambda day: f"{day.year:04}-{day.month:02}-{day.day:02}",
}


def _clock(moment: datetime, culture: Culture) -> str:
    rest = f"{moment.minute:02}:{moment.second:02}"
    if culture != "en":
        return f"{moment.hour:02}:{rest}"
    return f"{moment.hour % 12 or 12}:{rest} {'am' if moment.hour < 12 else 'pm'}"
