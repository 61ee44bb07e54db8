"""The shapes that values of the outer world have, and which column types take each. Mostly a table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from bi_mcp.base.language import say, text

FAMILIES = (text("numbers"), text("dates"), text("booleans"), text("text"), text("nested values"))

INT64 = range(-(2**63), 2**63)
# Up to here a double holds every whole number.
EXACT_IN_DOUBLE = range(-(2**53), 2**53 + 1)
# No pattern below matches a longer text, and some would take long over one.
MAX_PATTERN = 64


@dataclass(frozen=True)
class Shape:
    """The shape of a value. `instead` describes it better where a certain type was expected."""

    format: str
    family: str
    types: frozenset[str]
    instead: Mapping[str, str] = field(default_factory=dict, compare=False)

    def name_for(self, expected: str) -> str:
        """The name of this shape in a column of a type."""
        return say(self.instead.get(expected, self.format))


def _shape(format: str, family: str, *types: str, instead: Mapping[str, str] | None = None) -> Shape:
    return Shape(format, family, frozenset((*types, "string")), instead or {})


EMPTY = Shape("empty", "", frozenset({"int", "string", "double", "date", "datetime", "money", "timezone"}))
NESTED = Shape(text("array or object"), "nested values", frozenset())

_PADDED = text("spaces around the value")
_TEXT = _shape(text("text"), "text")
_NAMED_ZONE = _shape(text("name of a time zone"), "text", "timezone")
_BOOLEAN = _shape(text("true or false"), "booleans")
_WHOLE = _shape(text("whole number"), "numbers", "int", "double", "money")
_BEYOND_DOUBLE = _shape(
    text("whole number"),
    "numbers",
    "int",
    instead=dict.fromkeys(("double", "money"), text("whole number of more digits than a double holds")),
)
_OVER_64_BITS = _shape(text("number over 64 bits"), "numbers")
_DECIMAL = _shape(text("decimal number"), "numbers", "double", "money")
_NOT_FINITE = _shape(text("NaN or Infinity"), "numbers")
_DATE = _shape("Y-m-d", "dates", "date", instead={"datetime": text("date without a time of day")})
_MOMENT = _shape("Y-m-d H:i:s", "dates", "datetime", instead={"date": text("date with a time of day")})
_IMPOSSIBLE = _shape(text("date that does not exist"), "dates")


def _moment_in_number(what: str) -> Shape:
    return _shape(
        _WHOLE.format, _WHOLE.family, *_WHOLE.types, instead=dict.fromkeys(("date", "datetime"), what)
    )


_UNIX_TIME = _moment_in_number(text("Unix time"))
_COMPACT = _moment_in_number(text("Ymd without separators"))

_CURRENCY = r"(?:[$€£¥₽₴₸₹]|(?-i:[A-Z]{3})|руб\.?|р\.|тг\.?|грн\.?)"
_AMOUNT = r"[+-]?\d[\d\s.,'’]*"
_TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
_ISO_DAY = r"\d{4}-\d\d-\d\d"
_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?)"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY_ONLY = r"(?:1[3-9]|2\d|3[01])"
_SLASHED_YEAR = rf"/\d{{2,4}}(,? {_TIME}( ?[ap]m)?)?"

_WHOLE_TEXT = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
# Texts of a calendar's form, which need not be days of it.
_CALENDAR = (
    (re.compile(_ISO_DAY, re.ASCII), _DATE),
    (re.compile(rf"{_ISO_DAY} \d\d:\d\d:\d\d", re.ASCII), _MOMENT),
)
# How every text begins that a pattern with digits matches: most others need not be tried on all of them.
_NUMBER_AHEAD = re.compile(r"[^\w\s]{0,2}\d|[^\W\d]{1,4}\.?\s?[+-]?\d|[$€£¥₽₴₸₹]")


def _patterns(*rows: tuple[str, Shape]) -> tuple[tuple[re.Pattern[str], Shape], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), shape) for pattern, shape in rows)


# The first pattern that matches the whole text names its shape.
_WITH_DIGITS = _patterns(
    (r"-?0\d+", _shape(text("digits with leading zeros, which a number would lose"), "numbers")),
    (r"\+\d+", _shape(text("digits with a plus sign, which a number would lose"), "numbers")),
    (r"-?\d*\.\d+|-?\d+\.", _DECIMAL),
    (r"[+-]?(\d+\.?\d*|\.\d+)e[+-]?\d+", _shape(text("number with an exponent"), "numbers", "double")),
    (r"-?[1-9]\d{0,2},\d{3}", _shape(text("comma, decimal or between thousands"), "numbers")),
    (r"-?\d+,\d+", _shape(text("decimal comma"), "numbers")),
    (r"-?\d{1,3}(,\d{3})+(\.\d+)?", _shape(text("commas between thousands"), "numbers")),
    (r"-?\d{1,3}(\.\d{3})+(,\d+)?", _shape(text("points between thousands"), "numbers")),
    (r"-?\d{1,3}(\s\d{3})+([.,]\d+)?", _shape(text("spaces between thousands"), "numbers")),
    (r"-?\d{1,3}(['’]\d{3})+([.,]\d+)?", _shape(text("apostrophes between thousands"), "numbers")),
    (r"-?\d+([.,]\d+)?\s?%", _shape(text("percentage"), "numbers")),
    (r"(utc|gmt)?[+-]\d\d?(:\d\d)?", _shape(text("offset instead of a time zone's name"), "text")),
    (rf"{_CURRENCY}\s?{_AMOUNT}|{_AMOUNT}\s?\|?{_CURRENCY}", _shape(text("amount with a currency"), "numbers")),
    (rf"{_ISO_DAY}T{_TIME}{_OFFSET}", _shape(text("T and an offset: the time zone is lost"), "dates")),
    (rf"{_ISO_DAY} {_TIME}\s?{_OFFSET}", _shape(text("offset: the time zone is lost"), "dates")),
    (rf"{_ISO_DAY}T{_TIME}", _shape(text("T between date and time"), "dates")),
    (rf"{_ISO_DAY} \d\d:\d\d:\d\d[.,]\d+", _shape(text("fractions of a second"), "dates")),
    (rf"{_ISO_DAY} \d\d:\d\d", _shape(text("time without seconds"), "dates")),
    (rf"\d\d?\.\d\d?\.\d{{4}}(,? {_TIME})?", _shape("d.m.Y", "dates")),
    (r"\d\d?\.\d\d?\.\d\d", _shape("d.m.y", "dates")),
    (rf"{_MONTH}/{_DAY_ONLY}{_SLASHED_YEAR}", _shape("m/d/Y", "dates")),
    (rf"{_DAY_ONLY}/{_MONTH}{_SLASHED_YEAR}", _shape("d/m/Y", "dates")),
    (rf"{_MONTH}/{_MONTH}{_SLASHED_YEAR}", _shape(text("m/d/Y or d/m/Y"), "dates")),
    (rf"\d\d?-\d\d?-\d{{4}}( {_TIME})?", _shape("d-m-Y", "dates")),
    (rf"\d{{4}}[/.]\d\d?[/.]\d\d?( {_TIME})?", _shape("Y/m/d", "dates")),
    (r"\d{4}-\d\d?-\d\d?", _shape(text("Y-m-d without leading zeros"), "dates")),
)  # fmt: skip
_WITHOUT_DIGITS = _patterns(
    (r"[+-]?(nan|inf|infinity)", _NOT_FINITE),
    (r"true|false|yes|no|да|нет", _shape(text("word for true or false"), "booleans")),
)


def shape_of(value: object) -> Shape:
    """Classify a value by its shape."""
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return _BOOLEAN
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _fractional(value)
    return _shape_of_text(value) if isinstance(value, str) else NESTED


def _whole(number: int) -> Shape:
    if number not in INT64:
        return _OVER_64_BITS
    if number not in EXACT_IN_DOUBLE:
        return _BEYOND_DOUBLE
    # Probably a date: 20251231, or seconds or milliseconds since 1970 (2001 to 2065).
    if 19000101 <= number <= 21001231 and _exists(str(number)):
        return _COMPACT
    return _UNIX_TIME if 10**9 <= number < 3 * 10**9 or 10**12 <= number < 3 * 10**12 else _WHOLE


def _fractional(number: float) -> Shape:
    if not math.isfinite(number):
        return _NOT_FINITE
    if not number.is_integer():
        return _DECIMAL
    # Many languages write a whole number as 12.0 if its column had an empty value.
    return _WHOLE if int(number) in EXACT_IN_DOUBLE else _DECIMAL


def _shape_of_text(text: str) -> Shape:
    bare = text.strip()
    if not bare:
        return EMPTY
    shape = _bare_shape(bare)
    if bare == text or shape is _TEXT:
        return shape
    return _shape(_PADDED, shape.family)


def _bare_shape(text: str) -> Shape:
    if _WHOLE_TEXT.fullmatch(text):
        # Python refuses to read numbers of thousands of digits.
        return _OVER_64_BITS if len(text) > 20 else _whole(int(text))
    if len(text) > MAX_PATTERN:
        return _TEXT
    for pattern, shape in _CALENDAR:
        if pattern.fullmatch(text):
            return shape if _exists(text) else _IMPOSSIBLE
    for pattern, shape in _WITH_DIGITS if _NUMBER_AHEAD.match(text) else _WITHOUT_DIGITS:
        if pattern.fullmatch(text):
            return shape
    return _NAMED_ZONE if _is_zone(text) else _TEXT


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    # Newer Pythons take 24:00:00 for the next midnight.
    return " 24:" not in text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_zone(text: str) -> bool:
    # A system without a time zone database knows none; then the shape of a name must do.
    return (
        text in _zones() if _zones() else re.fullmatch(r"[A-Z]\w+(/[A-Z][\w+-]+)+|UTC|GMT", text) is not None
    )
