"""A plain filter in Python over rows as they are shown, and questions about each column of a table.

It is stricter than the oracle of charts, which allows what systems may rightly do in two ways: this connector promises one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from itertools import product
from typing import Any, TypeAlias

from tests.charts.questions import Condition, DateRange, Group, Question, Value, ask_one
from tests.charts.tables import Cell, Column, Row, Table, Type

COMPARISONS: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "one of": lambda own, given: own in given,
    "greater": lambda own, given: any(own > value for value in given),
    "greater or equal": lambda own, given: any(own >= value for value in given),
    "less": lambda own, given: any(own < value for value in given),
    "less or equal": lambda own, given: any(own <= value for value in given),
    "between": lambda own, given: given[0] <= own <= given[1],
}
ORDERINGS = ("greater", "greater or equal", "less", "less or equal")
# Parts are found in any case. Whether ß is ss then is up to the database.
Fold: TypeAlias = Callable[[str], str]
FOLDS: tuple[Fold, ...] = (str.lower, str.casefold)
# Texts are compared by order only where every collation sorts them alike.
SORTED_ALIKE = {"GRADE"}


def find_fault(table: Table, question: Question, answer: Sequence[Sequence[Cell]]) -> str:
    """Say how the rows of an answer differ from those of the plain filter; "" where they do not."""
    chosen = question.select or tuple(column.code for column in table.columns)
    found = Counter(map(tuple, answer))
    told = [
        _differ(
            Counter(
                tuple(row[code] for code in chosen) for row in table.rows if holds(table, question, row, fold)
            ),
            found,
            question.limit,
        )
        for fold in FOLDS
    ]
    return "" if "" in told else told[0]


def _differ(right: Counter[tuple[Cell, ...]], found: Counter[tuple[Cell, ...]], limit: int | None) -> str:
    wrong, missing = found - right, right - found
    if limit is not None:
        count = min(limit, right.total())
        return (
            f"wrong: {list(wrong)[:2]}; {found.total()} of {count}" if wrong or found.total() != count else ""
        )
    return f"wrong: {list(wrong)[:2]}; missing: {list(missing)[:2]}" if wrong or missing else ""


def holds(table: Table, question: Question, row: Row, fold: Fold = str.lower) -> bool:
    return _in_range(table, question, row) and all(
        (any if group.logic == "OR" else all)(
            _holds(table, condition, row, fold) for condition in group.members
        )
        for group in question.groups
    )


def _in_range(table: Table, question: Question, row: Row) -> bool:
    dates = question.dates
    if dates is None:
        return True
    cell = _comparable(row[dates.column], table.column(dates.column).type)
    return cell is not None and dates.first <= cell.date() <= dates.last


def _holds(table: Table, condition: Condition, row: Row, fold: Fold) -> bool:
    cell, type = row[condition.column], table.column(condition.column).type
    if condition.operator == "empty":
        found = cell is None or cell == ""
    elif cell is None:
        found = False
    elif condition.operator == "contains":
        found = any(fold(str(value)) in fold(str(cell)) for value in condition.values)
    else:
        given = [_comparable(value, type) for value in condition.values]
        found = COMPARISONS[condition.operator](_comparable(cell, type), given)
    return found is not condition.excluded


def _comparable(value: Cell | Value, type: Type) -> Any:
    """A day is its first moment."""
    if type not in {"date", "datetime"} or value is None:
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value


def questions(table: Table, codes: Sequence[str]) -> Iterator[tuple[str, Question]]:
    """Ask each column by each operator and value, as it is and excluded."""
    for code in codes:
        column = table.column(code)
        for number, (operator, values) in enumerate(_operands(column, _values(table, column))):
            # Nothing that hurts lies in the exclusion itself: of many values a few are enough.
            for excluded in (False, True) if number % 4 == 0 or column.type != "string" else (False,):
                condition = Condition(code, operator, values, excluded)
                yield f"{'not ' * excluded}{operator} {code} {values!r}", ask_one(condition)
        if column.type in {"date", "datetime"}:
            yield from _ranges(column, _values(table, column))


def joined(table: Table) -> Iterator[tuple[str, Question]]:
    """Ask several columns at once."""
    small, word = Condition("SMALL", "greater or equal", (9,)), Condition("WORD", "one of", ("a", "á", "%"))
    other = Condition("WORD", "contains", ("a",), excluded=True)
    yield "everything", Question()
    yield "OR", Question(groups=(Group((small, word)),))
    yield "AND", Question(groups=(Group((small,)), Group((other,))))
    yield "both", Question(groups=(Group((small, word)), Group((other, Condition("FLAG", "empty")))))
    yield "select", Question(select=("WORD", "ID"), groups=(Group((small, word)),))
    yield "limit", Question(groups=(Group((other,)),), limit=3)


def _operands(column: Column, values: Sequence[Any]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    yield "empty", ()
    yield "one of", tuple(values[:3])
    yield "one of", tuple(values)
    for value in values:
        yield "one of", (value,)
    if column.type == "string":
        for part in [*filter(None, values), "A", "Ё", "DROP", "\\b", "%b"]:
            yield "contains", (part,)
        yield "contains", (values[1], values[-1])
    if column.type == "int":
        yield from (("contains", ("7",)), ("contains", ("-1", "00")))
    if column.type == "string" and column.code not in SORTED_ALIKE:
        return
    for operator, value in product(ORDERINGS, (values[0], values[len(values) // 2], values[-1])):
        yield operator, (value,)
    middle = values[len(values) // 2]
    yield from (
        ("between", (values[0], middle)),
        ("between", (middle, middle)),
        ("between", (middle, values[0])),
    )


def _ranges(column: Column, values: Sequence[Any]) -> Iterator[tuple[str, Question]]:
    days = sorted({value.date() if isinstance(value, datetime) else value for value in values})
    for first, last in [*zip(days, days, strict=True), (days[0], days[-1]), (days[1], days[-2])]:
        yield f"range {column.code} {first} {last}", Question(dates=DateRange(column.code, first, last))


_READ: Mapping[str, Callable[[Any], Value]] = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}


def _values(table: Table, column: Column) -> list[Any]:
    """Return what the column holds, in order."""
    found = {row[column.code] for row in table.rows} - {None}
    return sorted(_READ[column.type](value) if column.type in _READ else value for value in found)
