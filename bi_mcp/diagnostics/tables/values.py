"""Do sampled values suit a column's type? What they look like instead, and which type would suit them all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bi_mcp.base.language import say
from bi_mcp.diagnostics.tables.value_shapes import EMPTY, FAMILIES, shape_of

MAX_OFFENCES = 5
MAX_SHOWN = 40
MAX_LISTED = 10
COLUMN_TYPES = ("int", "string", "double", "date", "datetime", "money", "timezone")
# What a type may be replaced by, the narrowest first. Nothing in a value says that it is money or names a time zone.
_OFFERED = ("int", "double", "date", "datetime", "string")


@dataclass(frozen=True)
class Offence:
    """A value that is not of the type. `row` counts the rows of data from 1, the header not included."""

    row: int
    value: str
    format: str


@dataclass(frozen=True)
class Judgement:
    """The verdict on a column's sampled values. `offences` are the first few of `count`; `formats` are all that were
    found, in the order of the rows; `fitting` is the type that suits every value, where one does.
    """

    declared: str
    filled: int
    count: int
    offences: tuple[Offence, ...]
    formats: tuple[str, ...]
    mixed: tuple[str, ...]
    fitting: str | None

    @property
    def empty(self) -> bool:
        """True if there are only empty values."""
        return self.filled == 0

    @property
    def hopeless(self) -> bool:
        """True if not one value is of the type."""
        return 0 < self.filled == self.count


def judge(values: Sequence[object], declared: str) -> Judgement:
    """Judge a column's values against its type. An unknown type counts as `string`, as on a portal."""
    expected = declared if declared in COLUMN_TYPES else "string"
    shapes = [shape_of(value) for value in values]
    filled = [(row, shape) for row, shape in enumerate(shapes, start=1) if shape is not EMPTY]
    wrong = [(row, shape) for row, shape in filled if expected not in shape.types]
    offences = [Offence(row, show_value(values[row - 1]), shape.name_for(expected)) for row, shape in wrong]
    families = {shape.family for _, shape in filled}
    offered = (expected, *_OFFERED)
    return Judgement(
        declared=declared,
        filled=len(filled),
        count=len(wrong),
        offences=tuple(offences[:MAX_OFFENCES]),
        formats=tuple(dict.fromkeys(offence.format for offence in offences)),
        mixed=tuple(say(family) for family in FAMILIES if family in families) if len(families) > 1 else (),
        fitting=next((type_ for type_ in offered if all(type_ in shape.types for _, shape in filled)), None),
    )


def show_value(value: object) -> str:
    """A value of the outer world as data in a sentence: on one line, of at most 40 characters."""
    text = _text(value)
    printable = "".join(sign if sign.isprintable() else "·" for sign in text[: MAX_SHOWN + 1])
    return printable if len(printable) <= MAX_SHOWN else f"{printable[: MAX_SHOWN - 1]}…"


def list_values(texts: Sequence[str]) -> str:
    """Texts of the outer world, the first ten of them."""
    named = ", ".join(repr(show_value(text)) for text in texts[:MAX_LISTED])
    if len(texts) <= MAX_LISTED:
        return named
    return say("{named} and {more} more", named=named, more=len(texts) - MAX_LISTED)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value.bit_length() > 1024:
        # Python refuses to write numbers of thousands of digits.
        return say("number of {bits} bits", bits=value.bit_length())
    return json.dumps(value, ensure_ascii=False, default=str)
