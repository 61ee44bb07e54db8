"""What is looked at in a database of SQLite that others write to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.databases.dialects import sqlite_values
from tests.connector.databases.asking import a_database, a_query, rows_of, types_of

ROWS = 6000
CREATE = """
CREATE TABLE many (id INTEGER PRIMARY KEY, n INTEGER, price DECIMAL(10,2), day DATE, made DATETIME, note TEXT);
CREATE TABLE keyed (id INTEGER PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE named (rowid TEXT, _rowid_ TEXT, oid TEXT, n INTEGER);
CREATE VIEW seen AS SELECT id, n FROM many;
CREATE TABLE few (id INTEGER, n INTEGER);
CREATE TABLE texts (name VARCHAR(10));
WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 6000)
INSERT INTO many SELECT i, i, i / 2.0, '2024-05-31', '2024-05-31 10:00:00', 'x' FROM r;
INSERT INTO keyed SELECT id, n FROM many;
INSERT INTO named SELECT 'x', 'x', 'x', n FROM many;
INSERT INTO few VALUES (1, 1);
INSERT INTO texts VALUES ('a');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "live.sqlite"
    write(path, CREATE)
    return path


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(a_database(Secret(f"sqlite:///{path}"))) as database:
        yield database


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A note of each look at values."""
    noted: list[Any] = []
    look = sqlite_values._look

    def note(session: Any, source: Any, asked: Any) -> Any:
        noted.append(source)
        return look(session, source, asked)

    monkeypatch.setattr(sqlite_values, "_look", note)
    return noted


def write(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)


LARGE = ["many", "keyed", "named", "seen"]


@pytest.mark.parametrize("table", LARGE)
def test_a_large_table_is_not_looked_at_after_each_write(
    database: Database, path: Path, looks: list[Any], table: str
) -> None:
    types = types_of(database, table)
    assert len(looks) == 2
    for _ in range(3):
        write(path, "INSERT INTO few VALUES (2, 1)")
        assert types_of(database, table) == types
    assert len(looks) == 2


@pytest.mark.parametrize("table", LARGE)
def test_a_changed_declaration_is_seen_at_once(database: Database, path: Path, table: str) -> None:
    assert types_of(database, table)["N"] == "int"
    changed = {
        "seen": "DROP VIEW seen; CREATE VIEW seen AS SELECT id, 'x' AS n FROM many",
        "keyed": "ALTER TABLE keyed ADD COLUMN more REAL",
    }
    statement = changed.get(table, f"ALTER TABLE {table} ADD COLUMN more REAL")
    write(path, statement)
    found = types_of(database, table)
    assert found.get("MORE") == "double" or found["N"] == "string"


def test_a_small_table_is_looked_at_after_each_write(database: Database, path: Path) -> None:
    assert types_of(database, "few")["N"] == "int"
    write(path, "INSERT INTO few VALUES (2, 'n/a')")
    assert types_of(database, "few")["N"] == "string"
    assert rows_of(database, "few") == [[1, "1"], [2, "n/a"]]


def test_what_is_written_later_and_does_not_fit_is_null(database: Database, path: Path) -> None:
    types_of(database, "many")
    write(path, "INSERT INTO many VALUES (9001, 'n/a', 'free', '2024-02-30', 'soon', 'y')")
    write(path, "INSERT INTO many VALUES (9002, 2.5, x'ff', 20240531, '2024-05-31', NULL)")
    write(path, "INSERT INTO many VALUES (9003, NULL, 9e999, NULL, 5, x'ff')")
    assert types_of(database, "many")["N"] == "int"
    assert rows_of(database, "many", a_query(filter={">ID": "9000"})) == [
        [9001, None, None, None, None, "y"],
        [9002, None, None, None, None, None],
        [9003, None, None, None, None, "\ufffd"],
    ]
    for filter in (
        {"=N": ""},
        {"!>N": "0"},
        {"=PRICE": ""},
        {"=DAY": ""},
        {"=MADE": ""},
        {"!=DAY": "31.05.2024"},
    ):
        assert [row[0] for row in rows_of(database, "many", a_query(["ID"], filter))] == [9001, 9002, 9003]
    assert rows_of(database, "many", a_query(["ID"], {">N": "6000"})) == []
    assert rows_of(database, "many", a_query(["ID"], {"%N": "n/a"})) == []


@pytest.mark.parametrize(
    ("table", "at", "type"),
    [
        ("many", 3000, "int"),
        ("many", ROWS, "string"),
        ("many", 1, "string"),
        ("keyed", 3000, "int"),
        ("keyed", 1, "string"),
        ("seen", 3000, "int"),
        ("seen", 1, "string"),
    ],
)
def test_of_a_large_table_some_rows_are_looked_at(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, table: str, at: int, type: str
) -> None:
    monkeypatch.setattr(sqlite_values, "MOST_VALUES", 100)
    written = "many" if table == "seen" else table
    write(path, f"UPDATE {written} SET n = 'n/a' WHERE id = {at}")  # noqa: S608  the names above
    assert types_of(database, table)["N"] == type
    shown = rows_of(database, table, a_query(["N"], {"=ID": str(at)}))
    assert shown == [["n/a" if type == "string" else None]]


def test_a_table_of_texts_alone_is_served(database: Database) -> None:
    assert types_of(database, "texts") == {"NAME": "string"}
