"""Columns, their types, and what a value of each type looks like."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bi_mcp.sample.refusal import RefusalError

Type: TypeAlias = Literal["int", "double", "date", "datetime", "string"]
Value: TypeAlias = "int | float | str | None"

_DATASET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(?:\.\d+)?Z?", re.ASCII)

# What SQL reads so that every answered value has its column's type.
_EXPRESSIONS: Mapping[Type, str] = {
    "int": "{}",
    "double": "CAST({} AS REAL)",
    "date": "{}",
    "datetime": "replace(substr({}, 1, 19), 'T', ' ')",
    "string": "CAST({} AS TEXT)",
}


@dataclass(frozen=True)
class Column:
    """A column of a table. `code` is the external code: the header or SQL name, unchanged."""

    code: str
    type: Type

    @property
    def name(self) -> str:
        """The code in the spelling that Bitrix24 allows for a dataset's column, where that is enough."""
        name = self.code.upper()
        return name if _DATASET_NAME.fullmatch(name) else self.code

    @property
    def sql(self) -> str:
        return _EXPRESSIONS[self.type].format(quote(self.code))

    def parse(self, text: str) -> Value:
        """Turn a filter's text into a value that compares with this column's."""
        value = _PARSERS[self.type](text.strip()) if self.type != "string" else text
        if value is None:
            raise RefusalError(
                400, f"Column {self.code!r} is of type {self.type}, which {text[:80]!r} is not."
            )
        return value


def quote(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def parse_date(text: str) -> str | None:
    """Read `YYYY-MM-DD`; None when it is not a day of the calendar."""
    return text if _DATE.fullmatch(text) and _exists(text) else None


def parse_datetime(text: str) -> str | None:
    """Read a date-time (or a date: its midnight) into `YYYY-MM-DD HH:MM:SS`. Fractions of seconds are cut."""
    if parse_date(text):
        return f"{text} 00:00:00"
    moment = _MOMENT.fullmatch(text)
    if moment is None:
        return None
    value = f"{moment[1]} {moment[2]}{moment[3] or ':00'}"
    return value if _exists(value) else None


def _parse_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _parse_day(text: str) -> str | None:
    # A time of day within a date column still sorts right as text: after its own date, before the next.
    moment = parse_datetime(text)
    return moment.removesuffix(" 00:00:00") if moment else None


def _exists(moment: str) -> bool:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True


_PARSERS = {
    "int": _parse_number,
    "double": _parse_number,
    "date": _parse_day,
    "datetime": parse_datetime,
}
