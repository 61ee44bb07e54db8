"""Shapes of values: how numbers, dates and truth values are written, as declarations of a pattern and its reading in SQL.

The patterns are understood alike by Python, which chooses shapes from a sample, and by the engine, which verifies the choice.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import quote

SPACES = " \t\u00a0\u2007\u2009\u202f"
# In a column of numbers or dates these stand for a missing value. They are compared in small letters.
MISSING = (
    "na n/a #n/a n.a. null none nan nil - -- – — . ? \\n inf -inf infinity -infinity #null! #div/0! #value! #ref! #name? #num! "
    "#н/д #дел/0! #знач! #ссылка! #имя? #число! н/д нет <na> nat"
).split()
NULL_MARK = "\\N"


@dataclass(frozen=True)
class Shape:
    """A way of writing values of a type. `sql` reads the text `{}`; `words` tell a person about it."""

    type: Type
    pattern: str
    sql: str
    words: str = ""
    rank: int = 0
    # What two shapes that both fit differ in: a mark for decimals, an order of day and month.
    choice: str = ""

    def matches(self, text: str) -> bool:
        return _compiled(self.pattern).fullmatch(text) is not None

    def reading(self, value: str) -> str:
        """Return the SQL that reads a text, and is missing if the text has another shape."""
        return f"CASE WHEN regexp_full_match({value}, {quote(self.pattern)}) THEN {self.sql.replace('{}', value)} END"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_MINUS = "[-\u2212\u2013]"
_CURRENCY_SIGNS = "$€£¥₽₴₸₹₩₺฿₫₪₼₾₿"
_CURRENCY_WORDS = (
    "USD EUR RUB RUR GBP CHF JPY CNY UAH KZT BYN PLN CZK SEK NOK DKK TRY INR BRL CAD AUD руб. руб р. р zł Kč kr Fr. грн тг R$ US$"
).split()
_UNITS = frozenset({"%", *_CURRENCY_SIGNS, *_CURRENCY_WORDS})
_GROUPS: Mapping[str, str] = {
    "": "",
    "spaces": f"[{SPACES}]",
    "commas": ",",
    "points": r"\.",
    "apostrophes": "['\u2019]",
}
_FORMATS: tuple[tuple[str, str], ...] = (
    (".", ""),
    (",", ""),
    (".", "commas"),
    (",", "points"),
    (".", "spaces"),
    (",", "spaces"),
    (".", "apostrophes"),
    (",", "apostrophes"),
)


def number_shapes(unit: str) -> Iterator[Shape]:
    """Iterate over all shapes of numbers with a currency, a percent sign or, if `unit` is empty, nothing beside them."""
    for rank, (decimal, group) in enumerate(_FORMATS):
        for type in ("int", "double"):
            yield _number_shape(type, decimal, group, unit, rank)


def _number_shape(type: Type, decimal: str, group: str, unit: str, rank: int) -> Shape:
    mark = re.escape(decimal)
    whole = "(?:0|[1-9][0-9]{0,14})"
    if group:
        whole = f"(?:[1-9][0-9]{{0,2}}(?:{_GROUPS[group]}[0-9]{{3}}){{1,4}}|{whole})"
    number = whole
    if type == "double":
        exponent = f"[eE][-+][0-9]{{1,3}}|{mark}[0-9]+[eE][0-9]{{1,3}}"
        number = f"(?:{whole}{mark}[0-9]*|{mark}[0-9]+|{whole})(?:{exponent})?"
    words = ["decimal comma"] if type == "double" and decimal == "," else []
    words += [f"thousands set off by {group}"] if group else []
    return Shape(
        type=type,
        pattern=_signed(number, unit),
        sql=_number_sql(type, decimal, unit),
        words=", ".join([*words, *_unit_words(unit)]),
        rank=rank,
        choice=decimal if type == "double" else _DECIMAL_BESIDE.get(group, ""),
    )


_DECIMAL_BESIDE: Mapping[str, str] = {"commas": ".", "points": ","}


def _unit_words(unit: str) -> list[str]:
    if unit == "%":
        return ["percent signs taken off: 12% is 12"]
    return [f"{unit} taken off"] if unit else []


def _signed(number: str, unit: str) -> str:
    space = f"[{SPACES}]?"
    if not unit:
        return f"{_MINUS}?{space}{number}|\\({number}\\)"
    sign = re.escape(unit)
    if unit == "%":
        return f"(?:{_MINUS}|\\+)?{number}{space}{sign}"
    before, after = f"(?:{sign}{space})?", f"(?:{space}{sign})?"
    return f"{_MINUS}?{space}{before}{_MINUS}?{number}{after}|\\({before}{number}{after}\\)"


def _number_sql(type: Type, decimal: str, unit: str) -> str:
    value = f"replace({{}}, {quote(unit)}, '')" if unit else "{}"
    dropped = SPACES + ",.'\u2019)".replace(decimal, "") + ("+" if unit == "%" else "")
    # Each letter of the first list becomes the one of the second in the same place; the rest is dropped.
    spelled = "(\u2212\u2013" + decimal + dropped
    value = f"translate({value}, {quote(spelled)}, '---.')"
    return f"TRY_CAST({value} AS {'BIGINT' if type == 'int' else 'DOUBLE'})"


BOOLEAN = Shape(
    "int", "(?i:true|false)", "CAST(CASE lower({}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END AS BIGINT)", "TRUE is 1, FALSE is 0"
)

_CLOCK = "(?:,? +|T)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[AaPp]\\.?[Mm]\\.?)?"
_ZONE = "(?: ?(?:Z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?))"
_CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTH = "[A-Za-z]{3,9}\\.?"


@dataclass(frozen=True)
class _DayForm:
    pattern: str
    formats: tuple[str, ...]
    words: str = ""
    choice: str = ""


_TWO = "[0-9]{1,2}"
_FOUR = "[12][0-9]{3}"


def _day_forms() -> Iterator[_DayForm]:
    for mark in "/.":
        yield _DayForm(f"{_FOUR}{re.escape(mark)}{_TWO}{re.escape(mark)}{_TWO}", (f"%Y{mark}%m{mark}%d",), "year first")
    yield _DayForm(f"{_TWO}\\.{_TWO}\\.{_FOUR}", ("%d.%m.%Y",), "day.month.year")
    for mark in "/-":
        pattern = f"{_TWO}{mark}{_TWO}{mark}{_FOUR}"
        yield _DayForm(pattern, (f"%d{mark}%m{mark}%Y",), "day first", "day first")
        yield _DayForm(pattern, (f"%m{mark}%d{mark}%Y",), "month first", "month first")
    for mark in "./-":
        # `1.2.10` is a version rather than a day.
        part = _TWO if mark == "/" else "[0-9]{2}"
        pattern = f"{part}{re.escape(mark)}{part}{re.escape(mark)}[0-9]{{2}}"
        century = "years of two digits: 69 to 99 are 19.."
        yield _DayForm(pattern, (f"%d{mark}%m{mark}%y",), f"day first, {century}", "day first")
        if mark != ".":
            yield _DayForm(pattern, (f"%m{mark}%d{mark}%y",), f"month first, {century}", "month first")
            yield _DayForm(pattern, (f"%y{mark}%m{mark}%d",), f"year first, {century}", "year first")
    for mark in " -":
        formats = (f"%d{mark}%b{mark}%Y", f"%d{mark}%B{mark}%Y")
        yield _DayForm(f"{_TWO}{mark}{_MONTH}{mark}{_FOUR}", formats, "month by name")
    yield _DayForm(f"{_MONTH} {_TWO},? {_FOUR}", ("%b %d %Y", "%B %d %Y"), "month by name")


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
        value = f"translate({value}, ',.', '')"
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
        "moments with a zone are the portal's time",
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


def units_in(texts: Sequence[str]) -> set[str]:
    """Find the currencies and percent signs beside numbers."""
    return {edge for text in texts for edge in _edges(text) if edge in _UNITS}


_AROUND = re.compile(
    r"[(\s+\u2212-]*(?P<before>[^\d\s(.,+\u2212-]{1,4})?[\s\u2212-]*[.,]?\d[\d\s.,'\u2019]*?\s*(?P<after>[^\d\s.,)][^\d\s)]{0,4})?[)\s]*"
)


def _edges(text: str) -> tuple[str, ...]:
    matched = _AROUND.fullmatch(text) if len(text) <= 40 else None
    return tuple(edge for edge in matched.groups() if edge) if matched else ()


_PLAIN = re.compile(
    rf"{_MINUS}?[$€£₽]?[0-9]+(?:[.,'{SPACES}][0-9]+)*%?|[0-9]{{1,4}}([-./])[0-9]{{1,2}}\1[0-9]{{1,4}}(?:[ T].*)?"
)


def is_plain_value(text: str) -> bool:
    """Tell whether a text is a number or a date and could hardly name a column."""
    return _PLAIN.fullmatch(text.strip()) is not None
