"""Shapes of numbers: every decimal mark and separator of thousands, with currencies and percent signs beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bi_mcp.base.language import text
from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import quote
from bi_mcp.connector.files.values import MINUS, SPACES, Shape

_CURRENCY_SIGNS = "$€£¥₽₴₸₹₩₺฿₫₪₼₾₿"
_CURRENCY_WORDS = "USD EUR RUB RUR GBP CHF JPY CNY UAH KZT BYN PLN CZK SEK NOK DKK TRY INR BRL CAD AUD руб. руб р. р zł Kč kr Fr. грн тг R$ US$"
_UNITS = frozenset({"%", *_CURRENCY_SIGNS, *_CURRENCY_WORDS.split()})
_GROUPS: Mapping[str, str] = {
    "": "",
    "spaces": f"[{SPACES}]",
    "commas": ",",
    "points": r"\.",
    "apostrophes": "['\u2019]",
}
_THOUSANDS: Mapping[str, str] = {
    "spaces": text("thousands set off by spaces"),
    "commas": text("thousands set off by commas"),
    "points": text("thousands set off by points"),
    "apostrophes": text("thousands set off by apostrophes"),
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
    words = [text("decimal comma")] if type == "double" and decimal == "," else []
    words += [_THOUSANDS[group]] if group else []
    return Shape(
        type=type,
        pattern=_signed(number, unit),
        sql=_number_sql(type, decimal, unit),
        words=(*words, *_unit_words(unit)),
        unit=unit,
        rank=rank,
        choice=decimal if type == "double" else _DECIMAL_BESIDE.get(group, ""),
    )


_DECIMAL_BESIDE: Mapping[str, str] = {"commas": ".", "points": ","}


def _unit_words(unit: str) -> list[str]:
    if unit == "%":
        return [text("percent signs taken off: 12% is 12")]
    return [text("{unit} taken off")] if unit else []


def _signed(number: str, unit: str) -> str:
    space = f"[{SPACES}]?"
    if not unit:
        return f"{MINUS}?{space}{number}|\\({number}\\)"
    sign = re.escape(unit)
    if unit == "%":
        return f"(?:{MINUS}|\\+)?{number}{space}{sign}"
    before, after = f"(?:{sign}{space})?", f"(?:{space}{sign})?"
    return f"{MINUS}?{space}{before}{MINUS}?{number}{after}|\\({before}{number}{after}\\)"


def _number_sql(type: Type, decimal: str, unit: str) -> str:
    value = f"replace({{}}, {quote(unit)}, '')" if unit else "{}"
    dropped = SPACES + ",.'\u2019)".replace(decimal, "") + ("+" if unit == "%" else "")
    # Each letter of the first list becomes the one of the second in the same place; the rest is dropped.
    spelled = "(\u2212\u2013" + decimal + dropped
    value = f"translate({value}, {quote(spelled)}, '---.')"
    return f"TRY_CAST({value} AS {'BIGINT' if type == 'int' else 'DOUBLE'})"


def units_in(texts: Sequence[str]) -> set[str]:
    """Find the currencies and percent signs beside numbers."""
    return {edge for value in texts for edge in _edges(value) if edge in _UNITS}


_AROUND = re.compile(
    r"[(\s+\u2212-]*(?P<before>[^\d\s(.,+\u2212-]{1,4})?[\s\u2212-]*[.,]?\d[\d\s.,'\u2019]*?\s*(?P<after>[^\d\s.,)][^\d\s)]{0,4})?[)\s]*"
)


def _edges(value: str) -> tuple[str, ...]:
    matched = _AROUND.fullmatch(value) if len(value) <= 40 else None
    return tuple(edge for edge in matched.groups() if edge) if matched else ()
