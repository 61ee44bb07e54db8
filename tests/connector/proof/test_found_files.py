"""Files that other people made, read as a person reads them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bi_mcp.connector.files import open_files
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.source import Source
from tests.connector.proof.found import take
from tests.connector.proof.readings import READINGS, TYPES, Reading

# Of the small ones one of each kind; the others read hundreds of rows in the same way.
TYPICAL = {
    "dummy.csv.gz",
    "mac_newlines.csv",
    "test_latin1.csv",
    "test_locale.csv",
    "penguins.csv",
    "test.xlsx",
}


def test_there_are_at_least_25_files() -> None:
    assert len({(reading.archive, reading.member) for reading in READINGS}) >= 25


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(
            reading,
            id=reading.title,
            marks=() if Path(reading.member).name in TYPICAL else pytest.mark.campaign("found files"),
        )
        for reading in READINGS
    ],
)
def test_a_file_is_read_as_a_person_reads_it(reading: Reading, tmp_path: Path) -> None:
    take(reading.archive, reading.member, tmp_path)
    options = SourceOptions(spelling="original", encoding=reading.encoding)
    with closing(open_files(tmp_path, options)) as source:
        table = find_table(source, reading.sheet)
        columns = source.columns(table)
        types = reading.types
        if len(columns) == types.count("~") * -1 + len(types):
            types = types.replace("~", "")
        assert [column.type for column in columns] == [
            TYPES.get(letter, column.type) for letter, column in zip(types, columns, strict=True)
        ]
        if reading.header:
            assert tuple(column.identifier for column in columns) == reading.header
        rows = read(source, table)
    assert len(rows) == reading.count
    for at, expected in reading.rows.items():
        assert matches(rows[at], expected), (rows[at], expected)


def find_table(source: Source, sheet: str) -> str:
    codes = source.tables()
    found = [code for code, title in codes.items() if sheet in title or sheet in code]
    assert len(found) == 1, codes
    return found[0]


def read(source: Source, table: str) -> list[list[object]]:
    with closing(source.rows(table, RowQuery((), {}, None, {}))) as answer:
        return [list(row) for chunk in answer.chunks() for row in chunk]


def matches(row: list[object], expected: tuple[object, ...]) -> bool:
    """Compare value by value; an empty text is a missing value, and a column that has no value may follow."""
    shown = [None if cell == "" else cell for cell in row]
    longer = shown[len(expected) :]
    return not any(longer) and all(
        value is ... or (cell == value and isinstance(cell, str) == isinstance(value, str))
        for cell, value in zip(shown, expected, strict=False)
    )
