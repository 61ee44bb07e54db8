"""A limit on wrong logins: a connector must not be of use to those who try passwords of a database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from bi_mcp.connector.refusal import RefusalError

# Wrong logins within a minute, with one login and at one server.
MOST = 10
MOST_AT_SERVER = 100
WITHIN_S = 60.0
_MOST_KEPT = 10_000


class Attempts:
    """Failed attempts at each target. After `most` of them within a minute it is not tried again until the minute is over."""

    def __init__(
        self, most: int = MOST, clock: Callable[[], float] = time.monotonic, kept: int = _MOST_KEPT
    ) -> None:
        self._most = most
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        # The one that began first is the first one.
        self._failed: dict[Hashable, tuple[float, int]] = {}

    def check(self, target: Hashable) -> None:
        """Raise RefusalError if the target failed too often."""
        with self._lock:
            since, count = self._failed.get(target, (0.0, 0))
            if count >= self._most and self._clock() - since < WITHIN_S:
                raise RefusalError(429, "This login failed too often. Try again in a minute.")

    def note_failure(self, target: Hashable) -> None:
        with self._lock:
            now = self._clock()
            since, count = self._failed.get(target, (now, 0))
            if now - since >= WITHIN_S:
                del self._failed[target]
                since, count = now, 0
            if target not in self._failed and len(self._failed) >= self._kept:
                del self._failed[next(iter(self._failed))]
            self._failed[target] = (since, count + 1)
