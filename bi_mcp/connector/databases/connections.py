"""Connections to a database: a pool of sessions that only read, and the way to stop what one of them runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.addresses import Target
from bi_mcp.connector.databases.engine import build_engine, connect_arguments
from bi_mcp.connector.databases.failures import Failures
from bi_mcp.connector.databases.watch import Watch
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.refusal import SourceError


class Connections:
    """Read-only sessions of a database."""

    def __init__(self, target: Target, options: SourceOptions) -> None:
        self.dialect = target.dialect
        self._target = target
        self._options = options
        self._engine = build_engine(target, options)
        # Before SQLAlchemy asks anything.
        sa.event.listen(self._engine, "connect", self._prepare, insert=True)
        password = Secret(str(target.url.password or ""))
        self.failures = Failures(self.dialect, options.timeout, (password,))
        self._lock = threading.Lock()
        self._running: set[Callable[[], None]] = set()
        self.is_closed = False

    @contextmanager
    def session(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and is stopped when it takes too long. Errors are worded."""
        with self.failures.worded(), self.open() as connection:
            timeout = None if self.dialect.bounded else self._options.timeout
            watch = Watch(partial(self.stop, connection.connection.driver_connection), timeout)
            try:
                with self.stoppable(watch.break_off), self.failures.worded():
                    yield connection
            except SourceError as error:
                if watch.is_broken_off:
                    raise _closed() from None
                if watch.is_late:
                    raise self.failures.too_long(error.cause) from None
                raise
            finally:
                if watch.end() or self.is_closed:
                    with suppress(Exception):
                        connection.invalidate()

    @contextmanager
    def stoppable(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have something stopped when the connections are closed meanwhile."""
        self.enter(stop)
        try:
            yield
        finally:
            self.leave(stop)

    def enter(self, stop: Callable[[], None]) -> None:
        """Have something stopped when the connections are closed, until it leaves."""
        with self._lock:
            if self.is_closed:
                raise _closed()
            self._running.add(stop)

    def leave(self, stop: Callable[[], None]) -> None:
        with self._lock:
            self._running.discard(stop)

    def open(self) -> sa.Connection:
        """Begin a transaction that only reads, for the caller to close."""
        if self.is_closed:
            raise _closed()
        connection = self._engine.connect()
        try:
            for statement in self.dialect.begin(self._options):
                connection.exec_driver_sql(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def stop(self, driver: Any) -> None:
        """Stop the query that a connection of the driver runs. Raises nothing: it may have ended meanwhile."""
        try:
            self.dialect.stop(driver, self._connect_alone)
        except Exception:  # noqa: BLE001  drivers raise what they like, and there is no one to tell
            return

    @property
    def names_schema(self) -> bool:
        """Whether the address names a schema, or what is one to this kind of database."""
        return bool(self._engine.url.database)

    def fingerprint(self) -> object:
        """What differs when the database has changed; None when that cannot be told without asking it."""
        return self.dialect.fingerprint(self._engine.url)

    def close(self) -> None:
        """Stop what runs, and let nothing begin any more."""
        with self._lock:
            self.is_closed = True
            running = [*self._running]
        for stop in running:
            stop()
        self._engine.dispose()

    def _connect_alone(self) -> Any:
        # Outside of the pool, which may be all taken by what is to be stopped.
        arguments, keywords = self._engine.dialect.create_connect_args(self._engine.url)
        more = connect_arguments(self._target, self._options)
        return self._engine.dialect.connect(*arguments, **{**keywords, **more})

    def _prepare(self, driver: Any, _record: object) -> None:
        self.dialect.prepare(driver, self._options)


def _closed() -> SourceError:
    return SourceError(503, "The connector is being stopped. Try again later.", "closed")
