"""Dates as portals of every culture write them into filters, read into the ISO text that the tables hold.

A slashed date such as `01/02/2025` is read only if one reading is possible, or if a setting decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, TypeAlias

from bi_mcp.base.language import say
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.errors import ConfigError

Culture: TypeAlias = Literal["ru", "en", "en-gb", "de", "iso"]

CULTURES: tuple[Culture, ...] = ("ru", "en", "en-gb", "de", "iso")

Day: TypeAlias = tuple[int, int, int]

# Only two of them write slashes; the others leave a slashed date to be read on its own.
_MONTH_FIRST: Mapping[Culture, bool] = {"en": True, "en-gb": False}

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(?:\.\d+)?Z?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{1,2})([./])(\d{1,2})\2(\d{4})(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([ap])m)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_culture(name: str | None) -> Culture | None:
    """Read a culture's name. Raises ConfigError, which lists the known ones."""
    if not name:
        return None
    for culture in CULTURES:
        if culture == name.lower():
            return culture
    raise ConfigError(
        say(
            "{name!r} is not a known culture. Choose one of {known}.",
            name=name[:40],
            known=", ".join(CULTURES),
        )
    )


def parse_iso_date(text: str) -> str | None:
    """Read `YYYY-MM-DD`; None when it is not a day of the calendar."""
    return text if _ISO_DATE.fullmatch(text) and _exists(text) else None


def parse_iso_datetime(text: str) -> str | None:
    """Read a date-time (or a date: its midnight) into `YYYY-MM-DD HH:MM:SS`. Fractions of seconds are cut."""
    if parse_iso_date(text):
        return f"{text} 00:00:00"
    moment = _ISO_MOMENT.fullmatch(text)
    if moment is None:
        return None
    value = f"{moment[1]} {moment[2]}{moment[3] or ':00'}"
    return value if _exists(value) else None


def parse_filter_moment(text: str, culture: Culture | None) -> str | None:
    """Read a date or date-time of any culture into `YYYY-MM-DD HH:MM:SS`; None when it is neither.

    Raises RefusalError for a slashed date that may be read in two ways and that `culture` does not settle.
    """
    written = _MOMENT.fullmatch(text)
    if written is None:
        return parse_iso_datetime(text)
    first, separator, second, year, hour, minute, seconds, half = written.groups()
    day = _parse_day(int(first), int(second), int(year), text, separator == "/", culture)
    clock = _parse_clock(hour, minute, seconds, half)
    return f"{day} {clock}" if day and clock else None


def parse_day(text: str, culture: Culture | None) -> str | None:
    """Read a value to compare with dates: `YYYY-MM-DD`, with a time of day behind it unless that is midnight.

    Such a text still sorts right: after its own date, before the next.
    """
    moment = parse_filter_moment(text, culture)
    return moment.removesuffix(" 00:00:00") if moment else None


def _parse_day(
    first: int, second: int, year: int, text: str, slashed: bool, culture: Culture | None
) -> date | None:
    readings = {False: _day(year, second, first), True: _day(year, first, second)}
    if not slashed:
        return readings[False]
    if culture and culture in _MONTH_FIRST:
        return readings[_MONTH_FIRST[culture]]
    possible = {day for day in readings.values() if day}
    if len(possible) > 1:
        raise RefusalError(
            400,
            f"The date {text!r} can be read in two ways. Start the connector with --culture en (month first) or "
            "en-gb (day first), or set BI_MCP_CONNECTOR_CULTURE; for the sample BI_MCP_SAMPLE_CULTURE.",
        )
    return possible.pop() if possible else None


def _parse_clock(hour: str | None, minute: str, seconds: str | None, half: str | None) -> str | None:
    if hour is None:
        return "00:00:00"
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    clock = f"{hours:02}:{minute}:{seconds or '00'}"
    return clock if _exists(f"2000-01-01 {clock}") else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _exists(moment: str) -> bool:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True
