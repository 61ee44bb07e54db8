"""Answered values as the types of their columns want them. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from bi_mcp.diagnostics.tables.value_shapes import EMPTY, NESTED, shape_of

Family = Literal["numbers", "times", "texts"]
Value: TypeAlias = int | float | datetime | str

FAMILIES: Mapping[str, Family] = {
    "int": "numbers",
    "double": "numbers",
    "money": "numbers",
    "date": "times",
    "datetime": "times",
}


class MisfitError(ValueError):
    """A value that is not of its column's type: a chart would leave it out."""


def family_of(type_: str) -> Family:
    """Return how values of a type are counted. An unknown type counts as `string`, as on a portal."""
    return FAMILIES.get(type_, "texts")


def read_cell(value: object, type_: str) -> Value | None:
    """Read a value by its column's type; None where it is missing. Raises MisfitError."""
    family = family_of(type_)
    if family == "texts":
        return _read_text(value)
    shape = shape_of(value)
    if shape is EMPTY:
        return None
    if type_ not in shape.types:
        raise MisfitError
    return _read_number(value) if family == "numbers" else _read_time(value)


def _read_text(value: object) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        return value
    if shape_of(value) is NESTED:
        raise MisfitError
    if isinstance(value, int) and value.bit_length() > 1024:
        # Python refuses to write numbers of thousands of digits.
        raise MisfitError
    return json.dumps(value)


def _read_number(value: object) -> int | float:
    """Read a number whose shape fits: whole numbers have at most 64 bits."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, int):
        return value
    raise MisfitError


def _read_time(value: object) -> datetime:
    """Read a day or a moment whose shape fits; a day is its midnight, so that both are counted alike."""
    assert isinstance(value, str)  # noqa: S101  only texts have the shape of a date
    return datetime.fromisoformat(value)
