"""Loader of CSV files into SQLite. The values decide on the types of the columns; a second pass stores them."""

from __future__ import annotations

import csv
import itertools
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bi_mcp.connector.columns import Value
from bi_mcp.connector.question.dates import parse_iso_date, parse_iso_datetime
from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample.quoting import quote_identifier

Parser: TypeAlias = Callable[[str], Value]

DELIMITERS = (",", ";", "\t")
SNIFFED_RECORDS = 20

# Numbers with leading zeros or a plus are codes and telephone numbers. Beyond 15 digits JSON readers lose some.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-][0-9]{1,2})?")


def load_csv(connection: sqlite3.Connection, file: Path) -> None:
    """Make a table named after the file. Raises ConfigError for a file that is not a table, naming the line."""
    try:
        source = max((_CsvFile(file, delimiter) for delimiter in DELIMITERS), key=_plausibility)
        codes = source.codes()
        parsers = _parsers(source, len(codes))
        names = ", ".join(map(quote_identifier, codes))
        # Without declared types SQLite stores every value as the parser made it.
        connection.execute(f"CREATE TABLE {quote_identifier(file.stem)} ({names})")
        marks = ", ".join("?" * len(codes))
        connection.executemany(
            f"INSERT INTO {quote_identifier(file.stem)} VALUES ({marks})",  # noqa: S608 - the name is quoted, values are bound
            ([parse(text) for parse, text in zip(parsers, row, strict=True)] for row in source.rows()),
        )
    except UnicodeDecodeError:
        raise ConfigError(f"{file.name} is not UTF-8 text; save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise ConfigError(f"{file.name} is not a CSV file: {error}.") from None


@dataclass(frozen=True)
class _CsvFile:
    file: Path
    delimiter: str

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Iterate over line number and cells of every line that is not blank; the first is the header."""
        with self.file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened, delimiter=self.delimiter)
            yield from ((reader.line_num, cells) for cells in reader if cells)

    def codes(self) -> list[str]:
        _, header = next(self.records(), (0, []))
        # Bitrix24 takes 0 for an empty code.
        codes = [
            code if code.strip() not in {"", "0"} else f"column_{number}"
            for number, code in enumerate(header, 1)
        ]
        if not codes or any("\0" in code for code in codes):
            raise ConfigError(f"{self.file.name} does not begin with a line of column names.")
        # SQLite does not distinguish upper and lower case in the names of columns.
        lowered = [code.lower() for code in codes]
        for code in codes:
            if lowered.count(code.lower()) > 1:
                raise ConfigError(f"{self.file.name} names the column {code!r} more than once.")
        return codes

    def rows(self) -> Iterator[list[str]]:
        records = self.records()
        _, header = next(records)
        for line, cells in records:
            if len(cells) != len(header):
                raise ConfigError(
                    f"{self.file.name}, line {line}: {len(cells)} values for {len(header)} columns "
                    f"(read with the delimiter {self.delimiter!r})."
                )
            yield cells


def _plausibility(source: _CsvFile) -> tuple[bool, int]:
    widths = [len(cells) for _, cells in itertools.islice(source.records(), SNIFFED_RECORDS)]
    width = widths[0] if widths else 0
    return (width > 1 and len(set(widths)) == 1, width)


def _parsers(source: _CsvFile, width: int) -> list[Parser]:
    """Choose for each column the narrowest parser that reads all its values."""
    candidates = [_WITH_POINT if source.delimiter == "," else _WITH_COMMA] * width
    for row in source.rows():
        for index, text in enumerate(row):
            if text.strip():
                candidates[index] = tuple(parse for parse in candidates[index] if parse(text) is not None)
    return [(*found, lambda text: text or None)[0] for found in candidates]


def _parse_int(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text.strip()) else None


def _parse_double(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text.strip()) else None


def _parse_day(text: str) -> str | None:
    return parse_iso_date(text.strip())


def _parse_moment(text: str) -> str | None:
    return parse_iso_datetime(text.strip())


# From the narrowest to the widest. None means: missing, or not of this type.
_WITH_POINT: tuple[Parser, ...] = (_parse_int, _parse_double, _parse_day, _parse_moment)
_WITH_COMMA: tuple[Parser, ...] = (
    _parse_int,
    lambda text: _parse_double(text.replace(",", ".")),
    _parse_day,
    _parse_moment,
)
