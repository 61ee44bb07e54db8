"""Does a row satisfy a chart's question? True, False, or None where connectors may differ for good reasons.

Missing values satisfy no condition but "is empty"; whether an excluded condition keeps them is left to the connector, as
is the case of letters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from bi_mcp.diagnostics.charts.sample import TypedRow, Value
from bi_mcp.endpoints.question import Condition, DateRange, Question


def satisfies(row: TypedRow, question: Question) -> bool | None:
    """Judge a row by the date range and by all groups."""
    verdicts = [_any(_meets(row, condition) for condition in group) for group in question.groups]
    if question.dates is not None:
        verdicts.append(_within(row, question.dates))
    return _all(verdicts)


def _meets(row: TypedRow, condition: Condition) -> bool | None:
    if condition.column not in row:
        # Its value could not be read, which is reported elsewhere.
        return None
    value = row[condition.column]
    if condition.operator == "empty":
        # Some connectors count an empty text as missing.
        is_empty = None if value == "" else value is None
        return _but(is_empty, excluded=condition.excluded)
    if value is None or value == "":
        return None if condition.excluded else False
    return _but(_COMPARISONS[condition.operator](value, condition.values), excluded=condition.excluded)


def _but(verdict: bool | None, *, excluded: bool) -> bool | None:
    return verdict if verdict is None or not excluded else not verdict


def _is_one_of(value: Value, wanted: tuple[object, ...]) -> bool | None:
    if value in wanted:
        return True
    return None if any(_nearly(value, other) for other in wanted) else False


def _nearly(value: Value, other: object) -> bool:
    if isinstance(value, str) and isinstance(other, str):
        return value.strip().casefold() == other.strip().casefold()
    return isinstance(value, float) and isinstance(other, int | float) and math.isclose(value, other)


def _contains(value: Value, parts: tuple[object, ...]) -> bool | None:
    text = str(value)
    if any(str(part) in text for part in parts):
        return True
    return None if any(str(part).casefold() in text.casefold() for part in parts) else False


def _compare_by(test: Callable[[int], bool]) -> Callable[[Value, tuple[object, ...]], bool | None]:
    def compare(value: Value, limits: tuple[object, ...]) -> bool | None:
        limit = limits[0]
        if isinstance(value, float) and value != limit and _nearly(value, limit):
            return None
        return test(_sign(value, limit))

    return compare


def _sign(value: object, limit: object) -> int:
    """Compare two values of the same type: -1, 0 or 1."""
    if value == limit:
        return 0
    return -1 if value < limit else 1  # type: ignore[operator] # both are of the column's type


_at_least = _compare_by(lambda sign: sign >= 0)
_at_most = _compare_by(lambda sign: sign <= 0)

_COMPARISONS: Mapping[str, Callable[[Value, tuple[object, ...]], bool | None]] = {
    "is": _is_one_of,
    "contains": _contains,
    "between": lambda value, ends: _all([_at_least(value, ends[:1]), _at_most(value, ends[1:])]),
    "greater": _compare_by(lambda sign: sign > 0),
    "greater_or_equal": _at_least,
    "less": _compare_by(lambda sign: sign < 0),
    "less_or_equal": _at_most,
}


def _within(row: TypedRow, dates: DateRange) -> bool | None:
    if dates.column not in row:
        return None
    value = row[dates.column]
    if not isinstance(value, date):
        return False
    day = value.date() if isinstance(value, datetime) else value
    return (dates.first is None or day >= dates.first) and (dates.last is None or day <= dates.last)


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    if True in found:
        return True
    return None if None in found else False


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    if False in found:
        return False
    return None if None in found else True
