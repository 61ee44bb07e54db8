"""A limit on wrong logins: a connector must not be of use to those who try passwords of a database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from bi_mcp.connector.refusal import RefusalError

MOST = 10
WITHIN_S = 60.0
_MOST_KEPT = 10_000


class Attempts:
    """Failed attempts at each login. After `MOST` of them within a minute it is not tried again until the minute is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[Hashable, tuple[float, int]] = {}

    def check(self, login: Hashable) -> None:
        """Raise RefusalError if the login failed too often."""
        with self._lock:
            since, count = self._failed.get(login, (0.0, 0))
            if count >= MOST and self._clock() - since < WITHIN_S:
                raise RefusalError(429, "This login failed too often. Try again in a minute.")

    def note_failure(self, login: Hashable) -> None:
        with self._lock:
            now = self._clock()
            since, count = self._failed.get(login, (now, 0))
            if now - since >= WITHIN_S:
                since, count = now, 0
            if len(self._failed) >= _MOST_KEPT:
                self._failed.clear()
            self._failed[login] = (since, count + 1)
