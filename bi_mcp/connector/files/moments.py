"""Shapes of dates and moments of every culture."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bi_mcp.base.language import text
from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import quote
from bi_mcp.connector.files.values import Shape

_CLOCK = "(?:,? +|T)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\\.?[Mm]\\.?)?"
_ZONE = "(?: ?(?:Z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?))"
_CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_LETTERS = "[A-Za-zÀ-ÿА-Яа-яёЁ]"
# How the names of months begin in English, Russian, German, French, Spanish and Italian.
_MONTHS: Mapping[str, str] = {
    "Jan": "jan|янв|ene|gen",
    "Feb": "feb|fév|фев",
    "Mar": "mar|mär|мар",
    "Apr": "apr|avr|abr|апр",
    "May": "may|mai|mag|ма[йя]",
    "Jun": "jun|juin|giu|июн",
    "Jul": "jul|juil|lug|июл",
    "Aug": "aug|aoû|ago|авг",
    "Sep": "sep|set|сен",
    "Oct": "oct|okt|ott|окт",
    "Nov": "nov|ноя",
    "Dec": "dec|dez|déc|dic|дек",
}
_MONTH = f"(?:(?i:{'|'.join(_MONTHS.values())}){_LETTERS}{{0,7}}\\.?)"


@dataclass(frozen=True)
class _DayForm:
    pattern: str
    formats: tuple[str, ...]
    words: tuple[str, ...] = ()
    choice: str = ""


_DAY_FIRST = text("day first")
_MONTH_FIRST = text("month first")
_YEAR_FIRST = text("year first")
_MONTH_BY_NAME = text("month by name")
_CENTURY = text("years of two digits: 69 to 99 are 19..")
_TWO = "[0-9]{1,2}"
_FOUR = "[12][0-9]{3}"


def _day_forms() -> Iterator[_DayForm]:
    for mark in "/.":
        yield _DayForm(
            f"{_FOUR}{re.escape(mark)}{_TWO}{re.escape(mark)}{_TWO}", (f"%Y{mark}%m{mark}%d",), (_YEAR_FIRST,)
        )
    yield _DayForm(f"{_TWO}\\.{_TWO}\\.{_FOUR}", ("%d.%m.%Y",), (text("day.month.year"),))
    for mark in "/-":
        pattern = f"{_TWO}{mark}{_TWO}{mark}{_FOUR}"
        yield _DayForm(pattern, (f"%d{mark}%m{mark}%Y",), (_DAY_FIRST,), "day first")
        yield _DayForm(pattern, (f"%m{mark}%d{mark}%Y",), (_MONTH_FIRST,), "month first")
    for mark in "./-":
        # `1.2.10` is a version rather than a day.
        part = _TWO if mark == "/" else "[0-9]{2}"
        pattern = f"{part}{re.escape(mark)}{part}{re.escape(mark)}[0-9]{{2}}"
        yield _DayForm(pattern, (f"%d{mark}%m{mark}%y",), (_DAY_FIRST, _CENTURY), "day first")
        if mark != ".":
            yield _DayForm(pattern, (f"%m{mark}%d{mark}%y",), (_MONTH_FIRST, _CENTURY), "month first")
            yield _DayForm(pattern, (f"%y{mark}%m{mark}%d",), (_YEAR_FIRST, _CENTURY), "year first")
    for mark in " -":
        pattern = f"{_TWO}\\.?{mark}{_MONTH}{mark}{_FOUR}(?: ?г\\.)?"
        yield _DayForm(pattern, (f"%d{mark}%b{mark}%Y",), (_MONTH_BY_NAME,))
    yield _DayForm(f"{_MONTH} {_TWO},? {_FOUR}", ("%b %d %Y",), (_MONTH_BY_NAME,))


# Fractions of seconds, what separates the time from the day, and the half of the day.
_TIDIED = (
    ("(:[0-9]{2})[.,][0-9]+", "\\1"),
    ("([0-9])(?:,? +|T)([0-9]{1,2}:)", "\\1 \\2"),
    (" ?([AaPp])\\.?([Mm])\\.?$", " \\1\\2"),
)


def _moment_shape(form: _DayForm, type: Type, rank: int) -> Shape:
    clocks = _CLOCK_FORMATS if type == "datetime" else ("",)
    formats = ", ".join(quote(day + clock) for day, clock in itertools.product(form.formats, clocks))
    value = "{}"
    if type == "datetime":
        for pattern, replacement in _TIDIED:
            value = f"regexp_replace({value}, {quote(pattern)}, {quote(replacement)})"
    if _MONTH in form.pattern:
        for name, beginnings in _MONTHS.items():
            value = f"regexp_replace({value}, {quote(f'(?i:{beginnings}){_LETTERS}*')}, {quote(name)})"
        value = f"translate({value}, ',.г', '')"
    read = f"try_strptime({value}, [{formats}])"
    return Shape(
        type=type,
        pattern=form.pattern + (f"(?:{_CLOCK})?" if type == "datetime" else ""),
        sql=f"date_trunc('second', {read})" if type == "datetime" else f"{read}::DATE",
        words=form.words,
        rank=rank,
        choice=form.choice,
    )


_ISO_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"


def _iso_shapes() -> Iterator[Shape]:
    yield Shape("date", _ISO_DAY, "TRY_CAST({} AS DATE)")
    clock = "[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    value = "replace({}, ',', '.')"
    yield Shape(
        "datetime", f"{_ISO_DAY}(?:{clock})?", f"date_trunc('second', TRY_CAST({value} AS TIMESTAMP))"
    )
    # The zone of the session is the portal's: moments become its time, those without a zone are taken for it.
    yield Shape(
        "datetime",
        f"{_ISO_DAY}(?:{clock}{_ZONE}?)?",
        f"date_trunc('second', TRY_CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP))",
        (text("moments with a zone become the time of {zone}"),),
        rank=1,
    )


@cache
def moment_shapes() -> Sequence[Shape]:
    """Return all shapes of dates and moments, those that say the least about a value first."""
    forms = list(_day_forms())
    return (
        *_iso_shapes(),
        *(_moment_shape(form, "date", 2) for form in forms),
        *(_moment_shape(form, "datetime", 3) for form in forms),
    )
