"""Dates in a chart's filter: read as ISO, written as the portal's culture writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bi_mcp.config import Culture

_DOTTED = "{at.day:02}.{at.month:02}.{at.year:04}"
_DAY_FIRST = "{at.day:02}/{at.month:02}/{at.year:04}"
_MONTH_FIRST = "{at.month:02}/{at.day:02}/{at.year:04}"
_ISO = "{at.year:04}-{at.month:02}-{at.day:02}"
_WHOLE_DAY = "{at.hour:02}:{at.minute:02}:{at.second:02}"
_HALF_DAY = "{hour:02}:{at.minute:02}:{at.second:02} {half}"


@dataclass(frozen=True)
class _Format:
    date: str
    time: str


_FORMATS: Mapping[Culture, _Format] = {
    "ru": _Format(_DOTTED, _WHOLE_DAY),
    "de": _Format(_DOTTED, _WHOLE_DAY),
    "en": _Format(_MONTH_FIRST, _HALF_DAY),
    "en-gb": _Format(_DAY_FIRST, _WHOLE_DAY),
    "iso": _Format(_ISO, _WHOLE_DAY),
}


def format_date(day: date, culture: Culture) -> str:
    """Write the short form, without a time."""
    return _FORMATS[culture].date.format(at=day)


def format_datetime(moment: datetime, culture: Culture) -> str:
    """Write the long form."""
    time = _FORMATS[culture].time.format(
        at=moment, hour=moment.hour % 12 or 12, half="am" if moment.hour < 12 else "pm"
    )
    return f"{format_date(moment, culture)} {time}"


def parse_moment(text: str) -> datetime | None:
    """Read an ISO date (its midnight) or date-time without a time zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None
