"""The values of a filter as bounds that a column is compared with, so that an index on the column can serve.

What is sent may be coarser than what is stored: moments lose their fractions, dates compare as their midnights, whole
numbers may be compared with fractions. The bounds are chosen so that the rows are those that a comparison of the sent
values would choose.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from bi_mcp.connector.columns import LARGEST_INTEGER, WrittenNumber
from bi_mcp.connector.databases.dialects.dialect import Comparing
from bi_mcp.connector.question.filter import Test

Given: TypeAlias = "int | float | str"
Operator: TypeAlias = Literal[">", ">=", "<", "<=", "in", "within"]

LARGEST_SINGLE = 3.4028234663852886e38

_SECOND = timedelta(seconds=1)
_ORDERS: Mapping[Test, Operator] = {"greater": ">", "at_least": ">=", "less": "<", "at_most": "<="}


@dataclass(frozen=True)
class Bound:
    """A comparison of a column with bound values: one, a list for `in`, or pairs
    of a beginning and an end for `within`.
    """

    operator: Operator
    values: tuple[Any, ...]
    type: sa.types.TypeEngine[Any]


# Bounds that must all hold, or what is known without looking at the column.
Bounds: TypeAlias = "list[Bound] | bool"


def bounds_of(comparing: Comparing, test: Test, values: Sequence[Given], zone: tzinfo) -> Bounds:
    """Turn a test into bounds."""
    if test == "between":
        lower = bounds_of(comparing, "at_least", values[:1], zone)
        upper = bounds_of(comparing, "at_most", values[1:], zone)
        return _both(lower, upper)
    if test != "equal" and len(values) > 1:
        # Greater than any one of the values means greater than the smallest.
        values = [(min if test in {"greater", "at_least"} else max)(values)]
    return _BOUNDS[comparing](test, values, zone)


def _both(first: Bounds, second: Bounds) -> Bounds:
    if isinstance(first, bool):
        return second if first else False
    if isinstance(second, bool):
        return first if second else False
    return [*first, *second]


def _whole(test: Test, values: Sequence[Given], zone: tzinfo) -> Bounds:
    numbers = [_decimal(value) for value in values]
    if any(abs(number) > LARGEST_INTEGER for number in numbers):
        return _decimals(test, values, zone)
    if test == "equal":
        whole = tuple(int(number) for number in numbers if number == int(number))
        return [Bound("in", whole, sa.BigInteger())] if whole else False
    number = numbers[0]
    if number == int(number):
        return [Bound(_ORDERS[test], (int(number),), sa.BigInteger())]
    # Between two whole numbers: the one below belongs to the lesser, the one above to the greater.
    if test in {"greater", "at_least"}:
        return [Bound(">", (math.floor(number),), sa.BigInteger())]
    return [Bound("<=", (math.floor(number),), sa.BigInteger())]


def _decimals(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    return _plain(test, [_decimal(value) for value in values], sa.Numeric())


def _doubles(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    return _plain(test, [float(value) for value in values], sa.Double())


def _singles(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    # 0.1 is another number as a single: that is what the column holds.
    return _plain(test, [_as_single(float(value)) for value in values], sa.Double())


def _as_single(number: float) -> float:
    if abs(number) > LARGEST_SINGLE:
        return number
    single: float = struct.unpack("f", struct.pack("f", number))[0]
    return single


def _texts(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    return _plain(test, [str(value) for value in values], sa.Text())


def _dates(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    moments = [datetime.fromisoformat(str(value)) for value in values]
    if test == "equal":
        days = tuple(moment.date() for moment in moments if _is_midnight(moment))
        return [Bound("in", days, sa.Date())] if days else False
    operator = _ORDERS[test]
    if not _is_midnight(moments[0]):
        # A moment within a day: the day itself begins before it.
        operator = ">" if test in {"greater", "at_least"} else "<="
    return [Bound(operator, (moments[0].date(),), sa.Date())]


def _datetimes(test: Test, values: Sequence[Given], _zone: tzinfo) -> Bounds:
    moments = [datetime.fromisoformat(str(value)) for value in values]
    return _by_seconds(test, moments, sa.DateTime())


def _moments(test: Test, values: Sequence[Given], zone: tzinfo) -> Bounds:
    moments = [_in_utc(datetime.fromisoformat(str(value)), zone) for value in values]
    return _by_seconds(test, moments, sa.DateTime(timezone=True))


def _in_utc(moment: datetime, zone: tzinfo) -> datetime:
    """Turn a moment of the portal's zone into UTC, for drivers that drop the zone."""
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        # On the first or the last day of the calendar.
        return moment.replace(tzinfo=UTC)


def _by_seconds(test: Test, moments: Sequence[datetime], type: sa.types.TypeEngine[Any]) -> Bounds:
    """Compare with whole seconds: what is sent has no fractions."""
    first, after = moments[0], _next_second(moments[0])
    match test:
        case "equal":
            return [Bound("within", tuple((moment, _next_second(moment)) for moment in moments), type)]
        case "at_least":
            return [Bound(">=", (first,), type)]
        case "less":
            return [Bound("<", (first,), type)]
        case "greater":
            return [Bound(">=", (after,), type)] if after else False
    return _before(after, type) or True


def _before(moment: datetime | None, type: sa.types.TypeEngine[Any]) -> list[Bound]:
    return [Bound("<", (moment,), type)] if moment else []


def _next_second(moment: datetime) -> datetime | None:
    try:
        return moment + _SECOND
    except OverflowError:
        return None


def _plain(test: Test, values: Sequence[Any], type: sa.types.TypeEngine[Any]) -> Bounds:
    return [Bound("in" if test == "equal" else _ORDERS[test], tuple(values), type)]


def _is_midnight(moment: datetime) -> bool:
    return moment.time() == datetime.min.time()


def _decimal(value: Given) -> Decimal:
    if isinstance(value, WrittenNumber):
        return Decimal(value.written)
    return Decimal(str(value))


_BOUNDS: Mapping[Comparing, Callable[[Test, Sequence[Given], tzinfo], Bounds]] = {
    "whole": _whole,
    "decimal": _decimals,
    "single": _singles,
    "double": _doubles,
    "text": _texts,
    "date": _dates,
    "datetime": _datetimes,
    "moment": _moments,
}
