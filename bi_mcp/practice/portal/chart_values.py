"""Values of a connector's rows, read by the types of the dataset's columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TypeAlias

Value: TypeAlias = "int | float | str | None"

# At or before this the engine behind BI Builder breaks.
OLDEST = "1900-01-01"

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_NOT_MONEY = re.compile(r"[^0-9.\-]")


def is_plain(value: object) -> bool:
    """Say whether a cell holds one value and not a list or an object."""
    return value is None or isinstance(value, str | int | float)


def read_chart_value(value: object, column_type: str) -> Value:
    """Read a value as BI Builder does. Raises `ValueError` where it is not of the column's type.

    Types are compared without regard to case, and unknown ones are texts.
    """
    if value is None:
        return None
    reader = _READERS.get(column_type.lower(), _text)
    return None if value == "" and reader is not _text else reader(value)


def _text(value: object) -> Value:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def _integer(value: object) -> Value:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if not _INTEGER.fullmatch(str(value)):
        raise ValueError
    return int(str(value))


def _number(value: object) -> Value:
    number = float(value) if isinstance(value, int | float) else float(str(value))
    if not math.isfinite(number):
        raise ValueError
    return number


def _date(value: object) -> Value:
    if not _DATE.fullmatch(str(value)):
        raise ValueError
    return date.fromisoformat(str(value)).isoformat()


def _datetime(value: object) -> Value:
    if not _DATETIME.fullmatch(str(value)):
        raise ValueError
    return datetime.fromisoformat(str(value)).isoformat(sep=" ")


_READERS: Mapping[str, Callable[[object], Value]] = {
    "int": _integer,
    "double": _number,
    "money": lambda value: _number(_NOT_MONEY.sub("", str(value))),
    "date": _date,
    "datetime": _datetime,
}
