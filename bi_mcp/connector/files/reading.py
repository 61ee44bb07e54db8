"""Answers: rows that leave the engine while it reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import duckdb

from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.condition import compile_condition
from bi_mcp.connector.files.engine import UNREADABLE, Engine
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
        self._at_once = max(1, min(MOST_ROWS_AT_ONCE, VALUES_AT_ONCE // len(selection.columns)))
        self._cursor = engine.cursor()

    @property
    def header(self) -> Sequence[str]:
        return self._selection.header

    def chunks(self) -> Iterator[Sequence[Row]]:
        sql, values = _statement(self._table, self._selection)
        try:
            rows = self._timed(lambda: self._cursor.execute(sql, values).fetchmany(self._at_once))
            while rows:
                yield rows
                rows = self._timed(lambda: self._cursor.fetchmany(self._at_once))
        finally:
            self.close()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if not self._done:
                self._cursor.interrupt()

    def close(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
        with suppress(duckdb.Error):
            self._cursor.close()
        self._release()

    def _timed(self, fetch: Callable[[], list[Row]]) -> list[Row]:
        """Fetch rows; only the engine's own time counts, not that of a slow reader."""
        if self._cancelled or self._done:
            raise SourceError(503, "The query was cancelled.", "the query was cancelled")
        begun = time.monotonic()
        clock = threading.Timer(max(self._left, 0.001), self._cursor.interrupt)
        clock.daemon = True
        clock.start()
        try:
            with self._engine.watched(self._table.name):
                return fetch()
        except SourceError as error:
            raise self._worded(error, time.monotonic() - begun) from error
        finally:
            clock.cancel()
            self._left -= time.monotonic() - begun

    def _worded(self, error: SourceError, taken: float) -> SourceError:
        if self._cancelled:
            return SourceError(503, "The query was cancelled.", "the query was cancelled")
        if taken >= self._left:
            return SourceError(503, "The query took too long.", "the query took longer than the time limit")
        return SourceError(503, UNREADABLE, error.cause)


def _statement(table: Table, selection: Selection) -> tuple[str, list[object]]:
    where = compile_condition(selection.condition, table.stored)
    shown = ", ".join(_LEAVING[column.type].format(table.stored[column.code]) for column in selection.columns)
    sql = f"SELECT {shown} FROM {table.name} WHERE {where.sql}"  # noqa: S608 - names are the engine's own, values are bound
    if selection.limit is None:
        return sql, list(where.values)
    return f"{sql} LIMIT ?", [*where.values, selection.limit]
