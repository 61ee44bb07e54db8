"""A bound on what runs at once: what comes beyond is refused at once instead of waiting in line."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

import anyio
from anyio import CancelScope, CapacityLimiter, to_thread

from bi_mcp.connector.access.access import Served
from bi_mcp.connector.refusal import RefusalError

RETRY_AFTER_S = 5
STOPPING = "The connector is about to stop. Ask again later."

Result = TypeVar("Result")


class BusyError(RefusalError):
    """Everything is taken, or the connector is about to stop. The caller may ask again."""


class Slots:
    """Slots for requests, each with a worker thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = CapacityLimiter(most)
        self._lock = threading.Lock()
        self._waiting = set[CancelScope]()
        self._late = "The source takes too long to answer. Ask again later."
        self.taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot. Raises BusyError when none is free."""
        if self.taken >= self._most:
            raise BusyError(503, "The connector is answering as many requests as it may. Ask again later.")
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run what may block in a worker thread; it is waited for, whatever happens."""
        return await to_thread.run_sync(function, limiter=self._threads)

    async def run_within(
        self, seconds: float, function: Callable[[], Result], discard: Callable[[Result], object]
    ) -> Result:
        """Run what may block and cannot be cancelled in a thread, for which the end of the program does not wait.

        Raises BusyError if it takes longer. The thread then keeps a slot until it ends; what it comes to is discarded.
        """
        ran = _start(function)
        try:
            with anyio.move_on_after(seconds) as scope:
                self._waiting.add(scope)
                return await asyncio.wrap_future(ran)
        except BaseException:
            self._abandon(ran, discard)
            raise
        finally:
            self._waiting.discard(scope)
        self._abandon(ran, discard)
        raise BusyError(503, self._late)

    def break_off(self) -> None:
        """Wait no longer for what `run_within` runs: the connector stops."""
        self._late = STOPPING
        for scope in tuple(self._waiting):
            scope.cancel()

    def _abandon(self, ran: Future[Result], discard: Callable[[Result], object]) -> None:
        def end(ended: Future[Result]) -> None:
            self._count(-1)
            if ended.exception() is None:
                discard(ended.result())

        self._count(1)
        ran.add_done_callback(end)

    def _count(self, step: int) -> None:
        with self._lock:
            self.taken += step


def _start(function: Callable[[], Result]) -> Future[Result]:
    ran = Future[Result]()
    ran.set_running_or_notify_cancel()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            result = context.run(function)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is raised where it is waited for
            ran.set_exception(error)
        else:
            ran.set_result(result)

    threading.Thread(target=work, name="connector question", daemon=True).start()
    return ran


class SourceSlots:
    """Slots for the answers of each source, so that they leave some of its connections to other questions.

    Used from worker threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = Counter[int]()

    @contextmanager
    def take(self, served: Served) -> Iterator[None]:
        """Hold a slot of a source. Raises BusyError when none is free."""
        # As long as a slot is held the source is alive, and no other is the same.
        key = id(served.source)
        with self._lock:
            if served.answers is not None and self._taken[key] >= served.answers:
                raise BusyError(503, "The source is giving as many answers as it may. Ask again later.")
            self._taken[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[key] -= 1
                if not self._taken[key]:
                    del self._taken[key]
