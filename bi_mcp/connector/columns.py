"""Columns, their types, and the form of a value of each type."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from bi_mcp.connector.question.dates import Culture, parse_day, parse_filter_moment
from bi_mcp.connector.refusal import RefusalError

Type: TypeAlias = Literal["int", "double", "date", "datetime", "string"]
Value: TypeAlias = "int | float | str | None"

LARGEST_INTEGER = 2**63 - 1
# A double reaches from 1e-324 to 1e308. Drivers write a number without an exponent, digit by digit.
MOST_DIGITS = 400

_DATASET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE]([+-]?[0-9]{1,3}))?")


@dataclass(frozen=True)
class TableColumn:
    """A column of a table. `code` is the external code, `identifier` what the data itself calls the column."""

    code: str
    type: Type
    identifier: str = ""

    @property
    def name(self) -> str:
        """The code in the spelling that Bitrix24 allows for a dataset's column, if that is enough."""
        name = self.code.upper()
        return name if _DATASET_NAME.fullmatch(name) else self.code

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

    A name given by `mapFields` comes first, then the code, then the identifier in the data, then both in other capitals
    unless several columns differ in nothing else: a portal that sends no `mapFields` knows only the names of the dataset's
    columns. `codes` leads from these names to external codes, as `mapFields` gives them.
    """

    def __init__(self, columns: Sequence[TableColumn], codes: Mapping[str, str]) -> None:
        self._exact = {column.identifier: column for column in columns if column.identifier}
        self._exact |= {column.code: column for column in columns}
        self._folded = _without_case(columns)
        self._codes: dict[TableColumn, str] = {}
        mapped = {}
        for name, code in codes.items():
            if column := self.find_in_any_case(code):
                mapped[name] = column
                self._codes[column] = code
        self._exact |= mapped

    def find(self, name: str) -> TableColumn | None:
        return self._exact.get(name)

    def find_in_any_case(self, name: str) -> TableColumn | None:
        return self._exact.get(name) or self._folded.get(name.casefold())

    def code_of(self, column: TableColumn) -> str:
        """Return the external code as the portal spells it."""
        return self._codes.get(column, column.code)


def _without_case(columns: Sequence[TableColumn]) -> dict[str, TableColumn]:
    found: dict[str, TableColumn | None] = {}
    for column in columns:
        for name in {column.code.casefold(), column.identifier.casefold()} - {""}:
            found[name] = None if name in found else column
    return {name: column for name, column in found.items() if column}


class WrittenNumber(float):
    """A number with a fraction or of many digits, which remembers how it was written: a float may not hold it exactly."""

    def __new__(cls, written: str) -> Self:
        return super().__new__(cls, written)

    def __init__(self, written: str) -> None:
        self.written = written


def _parse_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text) and abs(int(text)) <= LARGEST_INTEGER:
        return int(text)
    written = _NUMBER.fullmatch(text) if len(text) <= MOST_DIGITS else None
    if written is None or abs(int(written.group(3) or 0)) > MOST_DIGITS:
        return None
    number = WrittenNumber(text)
    return number if math.isfinite(number) else None
