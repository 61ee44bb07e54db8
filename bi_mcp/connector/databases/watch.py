"""A watch over a question: it is stopped when it takes too long, or when its source is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Seconds. A question may be several statements: one that begins after the first was stopped is stopped as well.
STOPPED_AGAIN_AFTER = 0.2


class Watch:
    """Watches one question. `stop` ends what it runs just now; without a time-out only `break_off` does."""

    def __init__(self, stop: Callable[[], None], timeout: float | None) -> None:
        self._stop = stop
        self._timeout = timeout
        self._changed = threading.Condition()
        self._ended = False
        self.is_broken_off = False
        self.is_late = False
        threading.Thread(target=self._wait, daemon=True).start()

    def break_off(self) -> None:
        """Stop the question, from any thread."""
        with self._changed:
            self.is_broken_off = True
            self._changed.notify()

    def end(self) -> bool:
        """Watch no longer. Returns whether the question was stopped; nothing stops it later."""
        with self._changed:
            self._ended = True
            self._changed.notify()
            return self.is_broken_off or self.is_late

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.is_broken_off, self._timeout)
            self.is_late = not (self._ended or self.is_broken_off)
            while not self._ended:
                self._stop()
                self._changed.wait_for(lambda: self._ended, STOPPED_AGAIN_AFTER)
