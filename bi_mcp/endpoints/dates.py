"""Dates and times as a portal writes them into a request: in its own culture, not in ISO. Data and pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, NamedTuple

CultureName = Literal["ru", "en", "en-gb", "de", "iso"]


class Culture(NamedTuple):
    """A portal's formats, as `strftime` takes them, without the half of the day. `halves`: 12 hours and am or pm."""

    date: str
    time: str
    halves: bool = False


# Section 2 of the reference of requests: dotted on most portals, slashed on English ones, ISO on a few.
CULTURES: Mapping[CultureName, Culture] = {
    "ru": Culture("%d.%m.%Y", "%H:%M:%S"),
    "de": Culture("%d.%m.%Y", "%H:%M:%S"),
    "en": Culture("%m/%d/%Y", "%I:%M:%S", halves=True),
    "en-gb": Culture("%d/%m/%Y", "%H:%M:%S"),
    "iso": Culture("%Y-%m-%d", "%H:%M:%S"),
}


def write_date(day: date, culture: Culture) -> str:
    """Write a day: `31.12.2025`."""
    # Of years before 1000 strftime writes three digits on some systems.
    return day.strftime(culture.date.replace("%Y", f"{day.year:04}"))


def write_datetime(moment: datetime, culture: Culture) -> str:
    """Write a day and a time: `31.12.2025 17:01:55`, `12/31/2025 05:01:55 pm`."""
    half = f" {'am' if moment.hour < 12 else 'pm'}" if culture.halves else ""
    return f"{write_date(moment, culture)} {moment.strftime(culture.time)}{half}"


def read_iso(text: str) -> date | datetime | None:
    """Read `2025-12-31` as a day, `2025-12-31 17:01:55` (or with a T) as a moment; None for anything else."""
    text = text.strip()
    # fromisoformat also takes 20251231 and 2025-W01-1, which neither portals nor charts write.
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        if len(text) == len("2025-12-31"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # With an offset it is a moment of another clock than the portal's.
    return moment if moment.tzinfo is None else None
