"""The two limits of the cloud: requests per source address, and run time per method.

The state lives in this process; each server of a portal counts for itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bi_mcp.portal.answers import SystemFault

OPERATING_LIMIT_S = 480.0
OPERATING_WINDOW_S = 600.0


@dataclass(frozen=True)
class Bucket:
    """`capacity` requests may be in the bucket, `drain` of them leave it every second."""

    capacity: float
    drain: float


@dataclass
class _Level:
    value: float
    at: float


@dataclass
class _Window:
    """Counts from the first call on; all of it is forgotten `OPERATING_WINDOW_S` later."""

    reset_at: int
    operating: float = 0.0


class OperationTimeLimitFault(SystemFault):
    """A method has used up its run time until `operating_reset_at` (unix seconds)."""

    def __init__(self, operating: float, operating_reset_at: int) -> None:
        super().__init__(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
        self.operating = operating
        self.operating_reset_at = operating_reset_at


class Limits:
    """Counts, and refuses where `bucket` is given. Times are unix seconds and always passed in."""

    def __init__(self, bucket: Bucket | None) -> None:
        self._bucket = bucket
        self._levels: dict[str, _Level] = {}
        self._windows: dict[str, _Window] = {}

    def admit(self, source_ip: str, now: float) -> None:
        """Count one HTTP request. Raises 503 `QUERY_LIMIT_EXCEEDED`; a refused request counts like any other."""
        if self._bucket is None:
            return
        level = self._levels.setdefault(source_ip, _Level(0.0, now))
        drained = max(0.0, now - level.at) * self._bucket.drain
        level.value = max(0.0, level.value - drained) + 1
        level.at = now
        if level.value > self._bucket.capacity:
            raise SystemFault(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")

    def before(self, method: str, now: float) -> None:
        """Raises `OperationTimeLimitFault` while the method is blocked."""
        window = self._window(method, now)
        if self._bucket is not None and window.operating > OPERATING_LIMIT_S:
            raise OperationTimeLimitFault(window.operating, window.reset_at)

    def after(self, method: str, duration: float, now: float) -> tuple[float, int]:
        """Add a call's run time in seconds; returns `time.operating` and `time.operating_reset_at`."""
        window = self._window(method, now)
        window.operating += duration
        return window.operating, window.reset_at

    def _window(self, method: str, now: float) -> _Window:
        window = self._windows.get(method)
        if window is None or now >= window.reset_at:
            window = self._windows[method] = _Window(reset_at=math.ceil(now + OPERATING_WINDOW_S))
        return window


_BUCKETS: dict[str, Bucket | None] = {
    "off": None,
    "standard": Bucket(capacity=50, drain=2),
    "enterprise": Bucket(capacity=250, drain=5),
}


def build_limits(name: str) -> Limits:
    """`name` is off, standard or enterprise. `off` admits everything and still reports run times."""
    return Limits(_BUCKETS[name])
