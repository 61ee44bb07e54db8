"""Data of a user: a SQLite file is opened in place, CSV files as a copy in memory."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample.csv_files import load_csv
from bi_mcp.practice.sample.tables import SqliteTables

_SQLITE_MAGIC = b"SQLite format 3\x00"


def open_tables(data: Path) -> SqliteTables:
    """Open a CSV file, a folder of CSV files or a SQLite file. Raises ConfigError that names the file at fault."""
    try:
        if data.is_dir():
            tables = _load(sorted(file for file in data.iterdir() if file.suffix.lower() in {".csv", ".tsv"}))
        else:
            tables = _open_file(data)
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigError(f"The data of the sample cannot be read from {data}: {reason}.") from None
    if not tables.titles:
        raise ConfigError(f"{data} holds no table.")
    return tables


def _open_file(file: Path) -> SqliteTables:
    with file.open("rb") as opened:
        is_sqlite = opened.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if not is_sqlite:
        return _load([file])
    return SqliteTables(_connect(f"{file.resolve().as_uri()}?mode=ro"))


def _load(files: list[Path]) -> SqliteTables:
    connection = _connect(":memory:")
    try:
        for file in files:
            load_csv(connection, file)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return SqliteTables(connection)


def _connect(address: str) -> sqlite3.Connection:
    # The threads that make the answers share the connection; SQLite lets them in one by one.
    return sqlite3.connect(address, uri=True, check_same_thread=False)
