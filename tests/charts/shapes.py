"""All shapes of requests that `urlData` can get for a table, each with a title: generations, cultures, operators, types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any

from tests.charts.questions import (
    CULTURES,
    GENERATIONS,
    Condition,
    Culture,
    DateRange,
    Dialect,
    Group,
    Question,
    Value,
    ask_one,
)
from tests.charts.tables import Column, Table


@dataclass(frozen=True)
class Shape:
    """A question as a portal asks it."""

    title: str
    question: Question
    dialect: Dialect


def shapes(table: Table, cultures: Sequence[Culture] = CULTURES) -> list[Shape]:
    """List the shapes. Values are the table's own."""
    found = list[Shape]()
    for generation, culture in product(GENERATIONS, cultures):
        plain, other = Dialect(generation, culture, "0"), Dialect(generation, culture, "")
        for title, question in _questions(table):
            found.append(Shape(f"{generation} {culture} {title}", question, plain))
            if "empty" in title:
                found.append(Shape(f"{generation} {culture} {title} as nothing", question, other))
    return found


def _questions(table: Table) -> Iterator[tuple[str, Question]]:
    yield "everything", Question()
    yield "select", Question(select=tuple(column.code for column in table.columns[1::-1]))
    yield "limit", Question(limit=3)
    for column in table.columns:
        yield from _of_column(column, _values(table, column))
    yield from _joined(table)


def _of_column(column: Column, values: tuple[Value, ...]) -> Iterator[tuple[str, Question]]:
    for operator, given in _operands(column, values):
        for excluded in (False, True):
            title = f"{'not ' if excluded else ''}{operator} {len(given)} {column.code} {column.type}"
            yield title, ask_one(Condition(column.code, operator, given, excluded))
    days = sorted({_day(value) for value in values if isinstance(value, date)})
    if days:
        yield f"range {column.code} {column.type}", Question(dates=DateRange(column.code, days[1], days[-2]))
        yield (
            f"range of one day {column.code} {column.type}",
            Question(dates=DateRange(column.code, days[2], days[2])),
        )
    yield (
        f"plain one of {column.code} {column.type}",
        Question(plain=(Condition(column.code, "one of", values[1:2]),)),
    )
    yield (
        f"plain at least {column.code} {column.type}",
        Question(plain=(Condition(column.code, "greater or equal", values[2:3]),)),
    )


def _operands(column: Column, values: tuple[Value, ...]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Operators with the values for each: both ends and the middle of what the column holds."""
    low, middle, high = values[1], values[len(values) // 2], values[-2]
    yield "one of", (middle,)
    yield "one of", (low, middle, high)
    yield "between", (low, high)
    for operator in ("greater", "greater or equal", "less", "less or equal"):
        yield operator, (middle,)
    # Of days and moments nobody asks for a part.
    if not isinstance(middle, date):
        yield "contains", (_part(middle),)
        yield "contains", (_part(low), _part(high))
    yield "empty", ()


def _part(value: Value) -> str:
    return str(value)[:2].removesuffix(".")


def _joined(table: Table) -> Iterator[tuple[str, Question]]:
    numbers = next(column for column in table.columns[1:] if column.type == "int")
    texts = next(column for column in table.columns if column.type == "string")
    low, high = _values(table, numbers)[1], _values(table, numbers)[-2]
    first, last = _values(table, texts)[0], _values(table, texts)[-1]
    few, many = Condition(numbers.code, "less", (low,)), Condition(numbers.code, "greater", (high,))
    named, other = (
        Condition(texts.code, "one of", (first,)),
        Condition(texts.code, "one of", (first, last), True),
    )
    wide = Condition(numbers.code, "greater or equal", (low,))
    yield "group joined by OR", Question(groups=(Group((few, named)),))
    yield "group joined by OR of one column", Question(groups=(Group((few, many)),))
    yield "group joined by AND", Question(groups=(Group((wide, named), "AND"),))
    yield "two groups", Question(groups=(Group((wide,)), Group((named,))))
    yield "two groups, not", Question(groups=(Group((few, many, named)), Group((other,))))
    yield "limit and a condition", Question(groups=(Group((named,)),), limit=2)
    yield "select and a condition", Question(select=(numbers.code,), groups=(Group((named,)),))


def _values(table: Table, column: Column) -> tuple[Value, ...]:
    found = {row[column.code] for row in table.rows} - {None}
    values: list[Any] = [_READ[column.type](value) if column.type in _READ else value for value in found]
    return tuple(sorted(values))


_READ: Mapping[str, Callable[[Any], Value]] = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
