"""Tables put into databases by their drivers, without the connector."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.charts.tables import Table
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer


@contextmanager
def connected(server: DatabaseServer, database: str) -> Iterator[Any]:
    """Open a connection of the driver. It stores what it wrote at the end."""
    if server.dialect == "postgresql":
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, dbname=database
        ) as connection:
            yield connection
        return
    import pymysql

    opened = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user=USER,
        password=PASSWORD,
        database=database,
        charset="utf8mb4",
        init_command="SET time_zone = '+00:00'",
    )
    with closing(opened):
        yield opened
        opened.commit()


def insert(server: DatabaseServer, database: str, table: str, rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    quote = "`" if server.dialect == "mariadb" else '"'
    marks = ", ".join(["%s"] * len(rows[0]))
    statement = f"INSERT INTO {quote}{table}{quote} VALUES ({marks})"  # noqa: S608 - a table of these tests
    with connected(server, database) as connection, connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def copy_sqlite(file: Path, server: DatabaseServer) -> str:
    """Make a database of all tables of a SQLite file, with types as they are declared, and give its name."""
    with closing(sqlite3.connect(file)) as source:
        tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        database = server.new_database(*(_create(source, table, server.dialect) for table in tables))
        for table in tables:
            rows = source.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608 - names of the file itself
            insert(server, database, table, [_adapt(row, server.dialect) for row in rows])
    return database


def _create(source: sqlite3.Connection, table: str, dialect: str) -> str:
    quote = "`" if dialect == "mariadb" else '"'
    columns = [
        f"{quote}{name}{quote} {_type(declared, dialect)}"
        for _, name, declared, *_ in source.execute(f'PRAGMA table_info("{table}")')
    ]
    characters = " CHARACTER SET utf8mb4" if dialect == "mariadb" else ""
    return f"CREATE TABLE {quote}{table}{quote} ({', '.join(columns)}){characters}"


# The first that fits, by the beginning of the declared type.
_TYPES = {
    "postgresql": {
        r"N?VARCHAR|N?CHAR|DECIMAL|NUMERIC|SMALLINT|DATE$|BOOLEAN": None,
        r"BLOB SUB_TYPE TEXT|N?TEXT": "text",
        r"BLOB": "bytea",
        r"INT|BIGINT": "bigint",
        r"DATETIME|TIMESTAMP": "timestamp",
        r"REAL|DOUBLE|FLOAT": "double precision",
        r"MONEY": "money",
        r"BIT": "boolean",
    },
    "mariadb": {
        r"N?VARCHAR|N?CHAR|DECIMAL|NUMERIC|SMALLINT|DATE$|DATETIME|BOOLEAN": None,
        r"BLOB SUB_TYPE TEXT|N?TEXT": "text",
        r"BLOB": "longblob",
        r"INT|BIGINT": "bigint",
        r"TIMESTAMP": "datetime",
        r"REAL|DOUBLE|FLOAT": "double",
        r"MONEY": "decimal(19,4)",
        r"BIT": "bit(1)",
    },
}


def _type(declared: str, dialect: str) -> str:
    for pattern, type in _TYPES[dialect].items():
        if re.match(pattern, declared, re.IGNORECASE):
            return type or re.sub(r"^N(?=VARCHAR|CHAR)", "", declared, flags=re.IGNORECASE)
    return "text"


def _adapt(row: Iterable[object], dialect: str) -> list[object]:
    # PostgreSQL reads a text as whatever the column takes, and puts a number into no column of money.
    return [str(cell) if dialect == "postgresql" and isinstance(cell, int | float) else cell for cell in row]


def write_sqlite(file: Path, statement: str, table: str, rows: Sequence[Sequence[object]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - a table of these tests


def run_sqlite(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


def write_csv(file: Path, table: Table) -> None:
    """Write a CSV file. Texts stand in quotes, so that a missing one and an empty one differ."""
    lines = [",".join(column.code for column in table.columns)]
    lines += [",".join(map(_quote, row.values())) for row in table.rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def _quote(cell: object) -> str:
    if isinstance(cell, str):
        return '"' + cell.replace('"', '""') + '"'
    return "" if cell is None else str(cell)
