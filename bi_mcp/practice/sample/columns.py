"""Columns, their types, and the form of a value of each type."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bi_mcp.practice.sample.dates import Culture, parse_day, parse_filter_moment
from bi_mcp.practice.sample.refusal import RefusalError

Type: TypeAlias = Literal["int", "double", "date", "datetime", "string"]
Value: TypeAlias = "int | float | str | None"

LARGEST_INTEGER = 2**63 - 1

_DATASET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")

# SQL expressions that give every answered value its column's type.
_EXPRESSIONS: Mapping[Type, str] = {
    "int": "{}",
    "double": "CAST({} AS REAL)",
    "date": "{}",
    "datetime": "replace(substr({}, 1, 19), 'T', ' ')",
    "string": "CAST({} AS TEXT)",
}


@dataclass(frozen=True)
class TableColumn:
    """A column of a table. `code` is the external code: the header or SQL name, unchanged."""

    code: str
    type: Type

    @property
    def name(self) -> str:
        """The code in the spelling that Bitrix24 allows for a dataset's column, if that is enough."""
        name = self.code.upper()
        return name if _DATASET_NAME.fullmatch(name) else self.code

    @property
    def sql(self) -> str:
        return _EXPRESSIONS[self.type].format(quote_identifier(self.code))

    def parse(self, text: str, culture: Culture | None = None) -> int | float | str:
        """Turn a filter's text into a value that compares with this column's."""
        value = self._read(text, culture)
        if value is None:
            raise RefusalError(
                400, f"Column {self.code!r} is of type {self.type}, which {text[:80]!r} is not."
            )
        return value

    def parse_part(self, text: str, culture: Culture | None = None) -> str:
        """Turn a search text into the spelling of this column's values: a whole date becomes ISO."""
        moment = parse_filter_moment(text.strip(), culture) if self.type in {"date", "datetime"} else None
        if moment is None:
            return text
        # The text of a day without a time is a part of each of its moments.
        has_time = self.type == "datetime" and ":" in text
        return moment if has_time else moment.removesuffix(" 00:00:00")

    def _read(self, text: str, culture: Culture | None) -> int | float | str | None:
        match self.type:
            case "string":
                return text
            case "date":
                return parse_day(text.strip(), culture)
            case "datetime":
                return parse_filter_moment(text.strip(), culture)
        return _parse_number(text.strip())


class ColumnNames:
    """The columns of a table by every name that a request may use.

    A name given by `mapFields` comes first, then the code itself, then the code in other capitals, unless several codes
    differ in nothing else: a portal that sends no `mapFields` knows only the names of the dataset's columns.
    """

    def __init__(self, columns: Sequence[TableColumn], codes: Mapping[str, str]) -> None:
        by_code = {column.code: column for column in columns}
        mapped = {name: by_code[code] for name, code in codes.items() if code in by_code}
        self._exact = by_code | mapped
        folded = [column.code.casefold() for column in columns]
        self._folded = {
            code: column for code, column in zip(folded, columns, strict=True) if folded.count(code) == 1
        }

    def find(self, name: str) -> TableColumn | None:
        return self._exact.get(name)

    def find_in_any_case(self, name: str) -> TableColumn | None:
        return self._exact.get(name) or self._folded.get(name.casefold())


def quote_identifier(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _parse_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text) and abs(int(text)) <= LARGEST_INTEGER:
        return int(text)
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
