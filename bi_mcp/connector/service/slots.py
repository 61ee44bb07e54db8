"""A bound on what runs at once: what comes beyond is refused at once instead of waiting in line."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from bi_mcp.connector.access.access import Served
from bi_mcp.connector.refusal import RefusalError

RETRY_AFTER_S = 5

Result = TypeVar("Result")


class BusyError(RefusalError):
    """Everything is taken, or the connector is about to stop. The caller may ask again."""


class Slots:
    """Slots for requests, each with a worker thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = CapacityLimiter(most)
        self.taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot. Raises BusyError when none is free."""
        if self.taken >= self._most:
            raise BusyError(503, "The connector is answering as many requests as it may. Ask again later.")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run what may block in a worker thread; it is waited for, whatever happens."""
        return await to_thread.run_sync(function, limiter=self._threads)


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
