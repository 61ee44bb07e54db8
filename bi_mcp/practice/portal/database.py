"""The portal's one SQLite file, safe with several servers on it."""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bi_mcp.errors import ConfigError

BUSY_TIMEOUT_S = 30.0
_SWITCH_ATTEMPTS = 200
_SWITCH_PAUSE_S = 0.05


class Database:
    """One connection and one lock, shared by all threads; `path` may be ":memory:".

    Modules contribute their tables with `create` and work in short `transaction`s. Between processes SQLite's own
    write lock decides the order.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        try:
            self._open(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"The practice portal's file {path} cannot be used ({error}). Set BI_MCP_PORTAL_DB to a file that can be written, "
                "or to :memory:."
            ) from None

    def _open(self, path: str) -> None:
        if path != ":memory:":
            # Before SQLite makes it readable for all: it holds tokens and passwords.
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch(mode=0o600)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        weakref.finalize(self, self._connection.close)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")
        if path != ":memory:":
            _switch_to_wal(self._connection)
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def create(self, schema: str) -> None:
        """Run `CREATE … IF NOT EXISTS` statements, separated by semicolons, in one transaction."""
        with self.transaction() as connection:
            for statement in schema.split(";"):
                connection.execute(statement)

    def add_column(self, table: str, column: str) -> None:
        """Add a column (`NAME TYPE …`) to a table that does not have it yet."""
        with self.transaction() as connection:
            known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
            if column.split(maxsplit=1)[0] not in known:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock: commit at the end, roll back on any exception.

        Never await or call out in the body: every other server on the file waits meanwhile.
        """
        with self._between("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent state, without waiting for writers in other processes."""
        with self._between("BEGIN") as connection:
            yield connection

    @contextmanager
    def _between(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        self._connection.close()


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL, with retries: servers that start together collide, and SQLite ignores its time-out here."""
    for attempt in range(_SWITCH_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == _SWITCH_ATTEMPTS - 1:
                raise
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return
