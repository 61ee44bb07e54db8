"""Sources that are opened when they are asked for, and closed when nobody has used them for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bi_mcp.connector.source import Source

MOST_UNUSED = 16
UNUSED_S = 300.0


@dataclass
class _Opened:
    source: Source
    users: int = 0
    used: float = 0.0


class OpenedSources:
    """Opened sources by what they were opened with. Used from many threads."""

    def __init__(self, most_unused: int = MOST_UNUSED, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_unused = most_unused
        self._clock = clock
        self._lock = threading.Lock()
        # The one that was used last is the last one.
        self._opened = OrderedDict[Hashable, _Opened]()

    def find(self, key: Hashable) -> Source | None:
        """Return an opened source; the caller releases it."""
        with self._lock:
            found = self._opened.get(key)
            if found is None:
                return None
            found.users += 1
            return found.source

    def add(self, key: Hashable, source: Source) -> Source:
        """Keep a source that was just opened, unless somebody was quicker: then theirs is returned. The caller releases it."""
        with self._lock:
            kept = self._opened.setdefault(key, _Opened(source))
            kept.users += 1
        if kept.source is not source:
            source.close()
        return kept.source

    def release(self, key: Hashable) -> None:
        with self._lock:
            found = self._opened.get(key)
            if found is None:
                return
            found.users -= 1
            found.used = self._clock()
            self._opened.move_to_end(key)
            unwanted = self._take_unwanted()
        for each in unwanted:
            each.source.close()

    def close(self) -> None:
        with self._lock:
            opened, self._opened = list(self._opened.values()), OrderedDict()
        for each in opened:
            each.source.close()

    def _take_unwanted(self) -> list[_Opened]:
        unused = [key for key, each in self._opened.items() if not each.users]
        too_many = unused[: max(0, len(unused) - self._most_unused)]
        now = self._clock()
        old = [key for key in unused if now - self._opened[key].used > UNUSED_S]
        return [self._opened.pop(key) for key in dict.fromkeys([*too_many, *old])]
