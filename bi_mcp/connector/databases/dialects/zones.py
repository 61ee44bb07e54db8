"""Time zones as the shifts of their clocks, for databases that may not know the zone by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import sqlalchemy as sa

from bi_mcp.connector.databases.dialects.dialect import Expression

# What a TIMESTAMP of MySQL holds.
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2038, 1, 20, tzinfo=UTC)

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def write_zone(zone: tzinfo) -> str:
    """Write a zone by its name, or by its distance from UTC where it has none: `+03:00`."""
    distance = f"{datetime.now(zone):%z}"
    return str(getattr(zone, "key", None) or f"{distance[:3]}:{distance[3:5]}")


@dataclass(frozen=True)
class Shift:
    """How far a zone's clocks are before UTC, from a moment on; in seconds."""

    since: datetime
    seconds: int


def shifted(operand: Expression, zone: tzinfo, add: Callable[[Expression], Expression]) -> Expression:
    """Shift a moment in UTC to the clocks of a zone. `add` adds seconds to it."""
    *later, first = shifts(zone)
    seconds: Expression = sa.literal_column(str(first.seconds))
    if later:
        whens: list[tuple[Expression, Expression]] = [
            (operand >= _written(shift.since), sa.literal_column(str(shift.seconds))) for shift in later
        ]
        seconds = sa.case(*whens, else_=seconds)
    elif not first.seconds:
        return operand
    return add(seconds)


def _written(moment: datetime) -> Expression:
    return sa.literal_column(f"'{moment:%Y-%m-%d %H:%M:%S}'")


@lru_cache(maxsize=16)
def shifts(zone: tzinfo) -> tuple[Shift, ...]:
    """List the shifts of a zone, the latest first."""
    found = [Shift(FIRST, _seconds(zone, FIRST))]
    day = FIRST
    while day < LAST:
        day += _DAY
        if _seconds(zone, day) != found[-1].seconds:
            found.append(Shift(_change(zone, day - _DAY, day), _seconds(zone, day)))
    return tuple(reversed(found))


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    shift = _seconds(zone, after)
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (before, middle) if _seconds(zone, middle) == shift else (middle, after)
    return after


def _seconds(zone: tzinfo, moment: datetime) -> int:
    distance = moment.astimezone(zone).utcoffset()
    return int(distance.total_seconds()) if distance else 0
