"""The right answer to a question, computed from the data in plain Python.

Where systems rightly differ both answers are accepted: a missing value under an excluded condition, text that is the same
but for capitals, an empty text in the test for missing values, and the zero at the end of 2.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from enum import IntEnum
from typing import Any, TypeAlias

from tests.charts.questions import Condition, DateRange, Dialect, Group, Question, Value
from tests.charts.tables import Cell, Column, Row, Table, Type

Comparable: TypeAlias = Any


class Verdict(IntEnum):
    """On a row: it must not, may or must be in the answer. The opposite of a verdict is 2 less it."""

    NEVER = 0
    MAY = 1
    MUST = 2


def judge(table: Table, question: Question, row: Row) -> Verdict:
    """Judge one row, leaving the limit aside."""
    verdicts = [_judge_condition(table, condition, row) for condition in question.plain]
    verdicts += [_judge_group(table, group, row) for group in question.groups]
    if question.dates is not None:
        verdicts.append(_judge_range(table, question.dates, row))
    return min(verdicts, default=Verdict.MUST)


def find_fault(table: Table, question: Question, dialect: Dialect, answer: Sequence[Sequence[Cell]]) -> str:
    """Say how an answer differs from the right one; "" where it does not."""
    chosen = [table.column(code) for code in question.select] or list(table.columns)
    if not answer or list(answer[0]) not in _headers(chosen, question, dialect):
        return f"the header is {answer[:1]!r}"
    rows = {
        verdict: Counter(_shown(chosen, row) for row in table.rows if judge(table, question, row) is verdict)
        for verdict in Verdict
    }
    return _compare(
        Counter(tuple(row) for row in answer[1:]), rows[Verdict.MUST], rows[Verdict.MAY], question.limit
    )


def _compare(
    found: Counter[tuple[Cell, ...]],
    must: Counter[tuple[Cell, ...]],
    may: Counter[tuple[Cell, ...]],
    limit: int | None,
) -> str:
    if wrong := found - (must + may):
        return f"rows that do not satisfy the conditions: {sorted(wrong, key=repr)[:3]}"
    if limit is None:
        missing = must - found
        return f"rows are missing: {sorted(missing, key=repr)[:3]}" if missing else ""
    if found.total() > limit:
        return f"{found.total()} rows, and the limit is {limit}"
    least = min(limit, must.total())
    return f"{found.total()} rows, and there are {least}" if found.total() < least else ""


def _headers(chosen: Sequence[Column], question: Question, dialect: Dialect) -> list[list[str]]:
    codes, names = [column.code for column in chosen], [column.name for column in chosen]
    if dialect.generation == "tables":
        return [codes]
    # Without select nothing was asked for by name.
    return [names] if question.select else [codes, names]


def _shown(chosen: Sequence[Column], row: Row) -> tuple[Cell, ...]:
    return tuple(row[column.code] for column in chosen)


def _judge_range(table: Table, dates: DateRange, row: Row) -> Verdict:
    cell = row[dates.column]
    if cell is None:
        return Verdict.NEVER
    day = _comparable(cell, table.column(dates.column).type).date()
    return Verdict.MUST if dates.first <= day <= dates.last else Verdict.NEVER


def _judge_group(table: Table, group: Group, row: Row) -> Verdict:
    verdicts = [_judge_condition(table, condition, row) for condition in group.members]
    return max(verdicts) if group.logic == "OR" else min(verdicts)


def _judge_condition(table: Table, condition: Condition, row: Row) -> Verdict:
    cell, type = row[condition.column], table.column(condition.column).type
    if condition.operator == "empty":
        verdict = Verdict.MUST if cell is None else Verdict.MAY if cell == "" else Verdict.NEVER
    elif cell is None:
        return Verdict.MAY if condition.excluded else Verdict.NEVER
    else:
        verdict = _judge_cell(condition.operator, cell, type, condition.values)
    return Verdict(2 - verdict) if condition.excluded else verdict


def _judge_cell(operator: str, cell: Cell, type: Type, values: Sequence[Value]) -> Verdict:
    if operator == "contains":
        return max(_judge_part(cell, type, str(value)) for value in values)
    own = _comparable(cell, type)
    given = [_comparable(value, type) for value in values]
    if type != "string":
        return Verdict.MUST if _COMPARISONS[operator](own, given) else Verdict.NEVER
    folded = _COMPARISONS[operator](own.casefold(), [value.casefold() for value in given])
    return Verdict(int(_COMPARISONS[operator](own, given)) + int(folded))


def _judge_part(cell: Cell, type: Type, part: str) -> Verdict:
    spellings = {str(cell), str(cell).removesuffix(".0") if type == "double" else str(cell)}
    if all(part in spelling for spelling in spellings):
        return Verdict.MUST
    held = any(part.casefold() in spelling.casefold() for spelling in spellings)
    return Verdict.MAY if held else Verdict.NEVER


_COMPARISONS: Mapping[str, Callable[[Comparable, Sequence[Comparable]], bool]] = {
    "one of": lambda own, given: own in given,
    "between": lambda own, given: given[0] <= own <= given[1],
    "greater": lambda own, given: any(own > value for value in given),
    "greater or equal": lambda own, given: any(own >= value for value in given),
    "less": lambda own, given: any(own < value for value in given),
    "less or equal": lambda own, given: any(own <= value for value in given),
}


def _comparable(value: Cell | Value, type: Type) -> Comparable:
    """A day is its first moment."""
    if type not in {"date", "datetime"}:
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value
