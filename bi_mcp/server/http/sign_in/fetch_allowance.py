"""How many of the addresses that strangers name are fetched."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of addresses that no client was found at, or not yet. A known client is renewed seldom, and so is one that somebody signed
# in with, also when its document is no longer kept.
MOST_AT_ONCE = 4
MOST_FETCHES = 20
WITHIN_S = 60.0


class TooManyError(Exception):
    """More addresses are named than are fetched."""


class Allowance:
    """Bounds the fetching for strangers: so many at once, and so many in a while. Known clients are not their victims."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._under_way = 0
        self._begun: deque[float] = deque()

    @contextmanager
    def fetching(self, *, known: bool) -> Iterator[None]:
        """Fetch within. Raises `TooManyError`."""
        if known:
            yield
            return
        now = self._clock()
        while self._begun and self._begun[0] <= now - WITHIN_S:
            self._begun.popleft()
        if self._under_way >= MOST_AT_ONCE or len(self._begun) >= MOST_FETCHES:
            raise TooManyError
        self._begun.append(now)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
