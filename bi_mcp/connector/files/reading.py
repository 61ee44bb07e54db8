"""Answers: rows that leave the engine while it reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import duckdb

from bi_mcp.connector.columns import TableColumn, Type
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.files.condition import compile_condition
from bi_mcp.connector.files.engine import Engine
from bi_mcp.connector.files.table import Table
from bi_mcp.connector.question.selection import Selection
from bi_mcp.connector.refusal import SourceError
from bi_mcp.connector.source import Row

# Values that are in memory at once, at most; rows may be wide.
VALUES_AT_ONCE = 8192
MOST_ROWS_AT_ONCE = 1000

# How values leave the engine, ready for JSON.
_LEAVING: Mapping[Type, str] = {
    "int": "{}",
    "double": "{}",
    "date": "CAST({} AS VARCHAR)",
    "datetime": "CAST({} AS VARCHAR)",
    "string": "{}",
}


class FileAnswer:
    """Rows of a table in the engine. The query runs while they are asked for; only some rows are in memory at a time."""

    def __init__(
        self, engine: Engine, table: Table, selection: Selection, timeout: float, release: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._selection = selection
        self._table = table
        self._left = timeout
        self._release = release
        self._lock = threading.Lock()
        self._done = False
        self._cancelled = False
        self._is_late = False
        self._idle = threading.Event()
        self._idle.set()
        self._at_once = max(1, min(MOST_ROWS_AT_ONCE, VALUES_AT_ONCE // len(selection.columns)))
        self._exact_at = {at for at, column in enumerate(selection.columns) if column.code in table.exact}
        self._cursor = engine.cursor()

    @property
    def header(self) -> Sequence[str]:
        return self._selection.header

    def chunks(self) -> Iterator[Sequence[Row]]:
        sql, values = _statement(self._table, self._selection)
        try:
            rows = self._timed(lambda: self._cursor.execute(sql, values).fetchmany(self._at_once))
            while rows:
                yield self._exact(rows) if self._exact_at else rows
                rows = self._timed(lambda: self._cursor.fetchmany(self._at_once))
        finally:
            self.close()

    def _exact(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [
            [
                exact_number(str(value)) if value is not None and at in self._exact_at else value
                for at, value in enumerate(row)
            ]
            for row in rows
        ]

    def cancel(self) -> None:
        self._cancelled = True
        if not self._idle.is_set():
            threading.Thread(target=self._interrupt, daemon=True).start()

    def close(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
        with suppress(duckdb.Error):
            self._cursor.close()
        self._release()

    def _timed(self, fetch: Callable[[], Sequence[Row]]) -> Sequence[Row]:
        """Fetch rows; only the engine's own time counts, not that of a slow reader."""
        begun = time.monotonic()
        clock = threading.Timer(max(self._left, 0), self._stop_late)
        clock.daemon = True
        self._idle.clear()
        clock.start()
        try:
            with self._engine.watched(self._table.name):
                self._check()
                rows = fetch()
        except SourceError:
            self._check()
            raise
        finally:
            self._idle.set()
            clock.cancel()
            self._left -= time.monotonic() - begun
        self._is_late = self._is_late or self._left < 0
        self._check()
        return rows

    def _check(self) -> None:
        if self._cancelled or self._done:
            raise SourceError(503, "The query was cancelled.", "the query was cancelled")
        if self._is_late:
            raise SourceError(503, "The query took too long.", "the query took longer than the time limit")

    def _stop_late(self) -> None:
        self._is_late = True
        self._interrupt()

    def _interrupt(self) -> None:
        # The engine forgets an interruption that comes before the query.
        while not self._idle.is_set():
            self._cursor.interrupt()
            self._idle.wait(0.02)


def _leaving(table: Table, column: TableColumn) -> str:
    return "CAST({} AS VARCHAR)" if column.code in table.exact else _LEAVING[column.type]


def _statement(table: Table, selection: Selection) -> tuple[str, list[object]]:
    where = compile_condition(selection.condition, table.stored)
    shown = ", ".join(
        _leaving(table, column).format(table.stored[column.code]) for column in selection.columns
    )
    sql = f"SELECT {shown} FROM {table.name} WHERE {where.sql}"  # noqa: S608 - names are the engine's own, values are bound
    if selection.limit is None:
        return sql, list(where.values)
    return f"{sql} LIMIT ?", [*where.values, selection.limit]
