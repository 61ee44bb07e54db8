"""The two limits of the cloud: requests per source address, and run time per method.

The state lives in this process; each server of a portal counts for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bi_mcp.practice.portal.answers import SystemFault

OPERATING_LIMIT_S = 480.0
BASKET_S = 60.0
BASKETS = 10


@dataclass(frozen=True)
class Bucket:
    """Leaky bucket: `capacity` requests fit in, `drain` of them leave it every second."""

    capacity: float
    drain: float


@dataclass
class _Level:
    value: float
    at: float


@dataclass
class _RunTime:
    """Run time of one method in baskets, one for each minute; ten are kept."""

    baskets: dict[int, float] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        oldest = int(now // BASKET_S) - BASKETS + 1
        self.baskets = {minute: seconds for minute, seconds in self.baskets.items() if minute >= oldest}

    def add(self, seconds: float, now: float) -> None:
        minute = int(now // BASKET_S)
        self.baskets[minute] = self.baskets.get(minute, 0.0) + seconds

    @property
    def operating(self) -> float:
        return sum(self.baskets.values())

    def reset_at(self, now: float) -> int:
        """Return the unix time at which the oldest basket is dropped, alone."""
        oldest = min(self.baskets, default=int(now // BASKET_S))
        return int((oldest + BASKETS) * BASKET_S)


class Limits:
    """Counter of requests and run time, which refuses if `bucket` is given. Times are unix seconds, passed in."""

    def __init__(self, bucket: Bucket | None) -> None:
        self._bucket = bucket
        self._levels: dict[str, _Level] = {}
        self._run_times: dict[str, _RunTime] = {}

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
        """Raise 429 `OPERATION_TIME_LIMIT` while the method is blocked. The answer does not say until when."""
        if self._bucket is not None and self._run_time(method, now).operating > OPERATING_LIMIT_S:
            raise SystemFault(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")

    def after(self, method: str, duration: float, now: float) -> tuple[float, int]:
        """Add a call's run time in seconds; return `time.operating` and `time.operating_reset_at`."""
        run_time = self._run_time(method, now)
        run_time.add(duration, now)
        return run_time.operating, run_time.reset_at(now)

    def _run_time(self, method: str, now: float) -> _RunTime:
        run_time = self._run_times.setdefault(method, _RunTime())
        run_time.forget(now)
        return run_time


_BUCKETS: dict[str, Bucket | None] = {
    "off": None,
    "standard": Bucket(capacity=50, drain=2),
    "enterprise": Bucket(capacity=250, drain=5),
}


def build_limits(name: str) -> Limits:
    """Build the limits of a plan: off, standard or enterprise. `off` admits everything and still reports run times."""
    return Limits(_BUCKETS[name])
