"""Days and moments as any portal writes them."""

from __future__ import annotations

import re
from datetime import datetime

from tests.charts.questions import Culture
from tests.charts.refusal import RefusedError

_MOMENT = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"|(?P<dotted_day>\d\d)\.(?P<dotted_month>\d\d)\.(?P<dotted_year>\d{4})"
    r"|(?P<first>\d\d)/(?P<second>\d\d)/(?P<slashed_year>\d{4}))"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second_of_minute>\d\d)(?: (?P<half>[ap]m))?)?",
    re.IGNORECASE | re.ASCII,
)


def read_moment(text: str, culture: Culture | None) -> datetime:
    """Read a day or a moment. Without a culture a slashed day that can be read in two ways is refused."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise RefusedError(f"{text!r} is not a day or a moment.")
    try:
        return datetime(*_day(found, culture), *_clock(found))  # noqa: DTZ001 - tables keep moments without a zone
    except ValueError:
        raise RefusedError(f"{text!r} is a day that does not exist.") from None


def _day(found: re.Match[str], culture: Culture | None) -> tuple[int, int, int]:
    if found["year"]:
        return int(found["year"]), int(found["month"]), int(found["day"])
    if found["dotted_year"]:
        return int(found["dotted_year"]), int(found["dotted_month"]), int(found["dotted_day"])
    year, first, second = int(found["slashed_year"]), int(found["first"]), int(found["second"])
    if first > 12:
        return year, second, first
    if second > 12 or first == second or culture == "en":
        return year, first, second
    if culture == "en-gb":
        return year, second, first
    raise RefusedError(f"{found[0]!r} can be read in two ways; set the culture.")


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    if not found["hour"]:
        return 0, 0, 0
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, int(found["minute"]), int(found["second_of_minute"])
