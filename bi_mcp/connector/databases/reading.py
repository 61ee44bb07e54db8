"""The rows of an answer, read from a cursor of the database some hundred at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

import sqlalchemy as sa

from bi_mcp.connector.columns import Value
from bi_mcp.connector.databases.connections import Connections
from bi_mcp.connector.databases.failures import DatabaseError
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import Row

CHUNK = 1000


@dataclass(frozen=True)
class Plan:
    """A statement, the names of its columns, and by place what finishes their values in Python."""

    statement: sa.Select[*tuple[Any, ...]]
    header: tuple[str, ...]
    converters: tuple[tuple[int, Callable[[Any], Value]], ...] = ()


class Cursor(Protocol):
    """What is needed of a driver's cursor."""

    def fetchmany(self, size: int, /) -> Sequence[Row]:
        """Return some rows; none at the end."""


class BlockCursor:
    """A cursor over blocks of rows. A block may be larger than what is asked for at once."""

    def __init__(self, blocks: Iterator[Sequence[Row]]) -> None:
        self._blocks = blocks
        self._block: Sequence[Row] = ()
        self._at = 0

    def fetchmany(self, size: int, /) -> Sequence[Row]:
        while self._at >= len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return []
            self._block, self._at = block, 0
        begin, self._at = self._at, self._at + size
        return self._block[begin : self._at]


class DatabaseAnswer:
    """An answer. The query begins with the first chunk; `replan` says what to do when the database refuses it."""

    def __init__(
        self, connections: Connections, plan: Plan, replan: Callable[[DatabaseError], Plan], timeout: float
    ) -> None:
        self._connections = connections
        self._plan = plan
        self._replan = replan
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: sa.Connection | None = None
        self._result: sa.CursorResult[Any] | None = None
        # What the driver calls a connection, as long as it may be told to stop.
        self._driver: Any = None
        self._cancelled = False
        self._is_late = False
        self._is_read = False

    @property
    def header(self) -> Sequence[str]:
        return self._plan.header

    def chunks(self) -> Iterator[Sequence[Row]]:
        try:
            cursor, rows = self._begin()
            while rows:
                yield self._convert(rows)
                rows = self._fetch(cursor)
            self._is_read = True
        finally:
            self.close()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._driver is not None:
                self._connections.stop(self._driver)

    def close(self) -> None:
        with self._lock:
            driver, self._driver = self._driver, None
        connection, self._connection = self._connection, None
        result, self._result = self._result, None
        if connection is None:
            return
        self._connections.leave(self.cancel)
        # What is left of a database that has died cannot be closed, and need not be.
        with suppress(Exception):
            if self._is_spoilt:
                self._abandon(connection, driver)
        with suppress(Exception):
            self._close_result(result)
        with suppress(Exception):
            connection.close()

    def _close_result(self, result: sa.CursorResult[Any] | None) -> None:
        if result is None:
            return
        if self._is_spoilt and result.cursor is not None:
            # The driver's own cursor: SQLAlchemy would log that its connection is gone.
            result.cursor.close()
            return
        result.close()

    @property
    def _is_spoilt(self) -> bool:
        """Whether the connection may be in the middle of something."""
        unread = self._connections.dialect.abandon is not None and not self._is_read
        return self._cancelled or self._is_late or unread or self._connections.is_closed

    def _abandon(self, connection: sa.Connection, driver: Any) -> None:
        if self._connections.dialect.abandon is not None:
            self._connections.dialect.abandon(driver)
        connection.invalidate()

    def _begin(self) -> tuple[Cursor, Sequence[Row]]:
        try:
            return self._execute(self._plan)
        except DatabaseError as error:
            self.close()
            if self._cancelled:
                raise
            plan = self._replan(error)
        if plan.header != self._plan.header:
            raise SourceError(502, "The columns of the table have changed. Try again.", "columns changed")
        self._plan = plan
        return self._execute(plan)

    def _execute(self, plan: Plan) -> tuple[Cursor, Sequence[Row]]:
        with self._connections.failures.worded():
            self._connection = connection = self._connections.open()
        driver = connection.connection.driver_connection
        with self._lock:
            self._driver = driver
        self._connections.enter(self.cancel)
        stream = self._connections.dialect.stream
        with self._bounded():
            if stream is not None:
                cursor = BlockCursor(stream(driver, *_compile(connection, plan.statement)))
                return cursor, cursor.fetchmany(CHUNK)
            self._result = connection.execution_options(stream_results=True).execute(plan.statement)
            # SQLAlchemy has fetched one row. The others come from the driver's own cursor: its tuples go into JSON as they are.
            first = self._result.fetchone()
            if first is None:
                return BlockCursor(iter(())), []
            own = cast("Cursor", self._result.cursor)
            return own, [tuple(first), *own.fetchmany(CHUNK - 1)]

    def _fetch(self, cursor: Cursor) -> Sequence[Row]:
        with self._bounded():
            return cursor.fetchmany(CHUNK)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Wait for the database, but not too long, and not for a cancelled query."""
        self._refuse_if_cancelled()
        timer = None
        if not self._connections.dialect.bounded:
            timer = threading.Timer(self._timeout, self._stop_late)
            timer.daemon = True
            timer.start()
        try:
            with self._connections.failures.worded():
                yield
        except RefusalError as error:
            self._refuse_if_cancelled()
            if self._is_late:
                raise self._connections.failures.too_long(str(error)) from None
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _refuse_if_cancelled(self) -> None:
        if self._cancelled:
            raise SourceError(503, "The answer was cancelled.", "cancelled")

    def _stop_late(self) -> None:
        with self._lock:
            if self._driver is not None:
                self._is_late = True
                self._connections.stop(self._driver)

    def _convert(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self._plan.converters:
            return rows
        return [self._convert_row(row) for row in rows]

    def _convert_row(self, row: Row) -> Row:
        values: list[Any] = list(row)
        for at, convert in self._plan.converters:
            if values[at] is not None:
                values[at] = convert(values[at])
        return values


def _compile(connection: sa.Connection, statement: sa.ClauseElement) -> tuple[str, Mapping[str, Any]]:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params
