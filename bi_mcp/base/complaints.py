"""Rate limit for log records that strangers can cause. They must not fill the disk."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 10
WITHIN_S = 60.0
# Texts that were formatted before they are logged begin alike.
_KIND = 24
_MOST_KINDS = 100


class Seldom:
    """A filter of a logger: `most` records of a kind in each `within_s`; the next one says how many were left out.

    A kind is the text before values are put into it. Disconnects of clients, with their stack traces, are left out altogether.
    """

    def __init__(
        self, most: int = MOST, within_s: float = WITHIN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._counts: dict[str, tuple[float, int]] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Decide whether the record is written."""
        if record.exc_info and isinstance(record.exc_info[1], ClientDisconnect):
            return False
        kind = str(record.msg)[:_KIND]
        now = self._clock()
        since, count = self._counts.get(kind, (now, 0))
        left_out = 0
        if now - since >= self._within_s:
            since, count, left_out = now, 0, max(0, count - self._most)
        if len(self._counts) >= _MOST_KINDS and kind not in self._counts:
            self._counts.clear()
        self._counts[kind] = (since, count + 1)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like this were left out)", ()
        return count < self._most
