"""Pure: the wait until a request may go. Section 10 of the API reference. Times are seconds and always passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bi_mcp.rest.fair_queue import FairQueue, Ticket

# Requests that leave on time may arrive bunched: a new connection delays the first by some tenths of a second.
MARGIN = 2.0
# A refusal says that someone else uses the same address, or that the plan is another. Neither need last.
FORGOTTEN_AFTER_S = 600.0
LEAST_SHARE = 1 / 8
# The portal counts a method's run time over ten minutes, so no block is longer, whatever the clocks say.
LONGEST_BLOCK_S = 600.0
SHORTEST_BLOCK_S = 1.0
# The portal counts run time by the minute and forgets one minute at a time.
BASKET_S = 60.0


@dataclass(frozen=True)
class RatePlan:
    """Limits of a plan: a portal admits `capacity` requests at once and forgets `drain_per_s` of them every second."""

    capacity: float
    drain_per_s: float


STANDARD = RatePlan(capacity=50, drain_per_s=2)
ENTERPRISE = RatePlan(capacity=250, drain_per_s=5)
# A self-hosted portal.
UNLIMITED = RatePlan(capacity=1e6, drain_per_s=1e6)


class LeakyBucket:
    """Model of the portal's request counter, with the queue of waiting calls, in which owners take turns.

    `join` gives a ticket, which `wait` and `take` need; `leave` gives the place in the queue up without a trace.
    """

    def __init__(self, plan: RatePlan = STANDARD) -> None:
        self._plan = plan
        self._part = 1.0
        self._capacity = self._full_capacity
        self._share = 1.0
        self._refused_at: float | None = None
        self._level = 0.0
        self._at = 0.0
        self._queue = FairQueue()

    @property
    def capacity(self) -> float:
        """Number of requests that may be in the bucket, as far as is known by now."""
        return self._capacity

    @property
    def drain_per_s(self) -> float:
        """Number of requests that leave the bucket every second, as far as is known by now."""
        return self._plan.drain_per_s * self._part * self._share

    @property
    def waiting(self) -> int:
        """Number of waiting calls."""
        return len(self._queue)

    @property
    def _full_capacity(self) -> float:
        return max(1.0, self._plan.capacity * self._part - MARGIN)

    def take_part(self, part: float) -> None:
        """Keep to a part of the plan, between 0 and 1: others call the same portal from the same address."""
        self._part = part
        self._capacity = (
            self._full_capacity if self._refused_at is None else min(self._capacity, self._full_capacity)
        )

    def level(self, now: float) -> float:
        """Return the number of requests in the bucket."""
        self._advance(now)
        return self._level

    def join(self, owner: str = "") -> Ticket:
        """Queue behind the owner's other calls."""
        return self._queue.join(owner)

    def leave(self, ticket: Ticket) -> None:
        """Give the place in the queue up."""
        self._queue.leave(ticket)

    def ahead(self, ticket: Ticket) -> int:
        """Return the number of calls that go before the ticket's."""
        return self._queue.ahead(ticket)

    def wait(self, ticket: Ticket, now: float) -> float:
        """Return the seconds until the ticket's request may go, after all those ahead of it."""
        self._advance(now)
        wait = (self._level + self._queue.ahead(ticket) + 1 - self._capacity) / self.drain_per_s
        # Rounded, because a clock may be too coarse to pass a tiny remainder.
        return round(max(0.0, wait), 6)

    def take(self, ticket: Ticket, now: float) -> None:
        """Let the ticket's request go."""
        self._advance(now)
        self._queue.serve(ticket)
        self._level += 1
        ticket.gone_at, ticket.level = now, self._level

    def learn_from_refusal(self, ticket: Ticket, now: float) -> None:
        """Lower the capacity after the portal refused a request that had room here."""
        self._advance(now)
        # Requests that left together are refused in any order; the one with the most room says how little there is.
        self._capacity = max(1.0, min(self._capacity, ticket.level - 1))
        # Refused requests count too, so the bucket may be fuller than full.
        self._level = max(self._level, self._capacity)
        if self._refused_at is None or ticket.gone_at > self._refused_at:
            self._share = max(LEAST_SHARE, self._share / 2)
            self._refused_at = now

    def _advance(self, now: float) -> None:
        self._level = max(0.0, self._level - max(0.0, now - self._at) * self.drain_per_s)
        self._at = max(self._at, now)
        if self._refused_at is not None and now - self._refused_at > FORGOTTEN_AFTER_S:
            self._refused_at = None
            self._share = 1.0
            self._capacity = self._full_capacity


class OperatingTimes:
    """Methods that have used up their run time, and until when."""

    def __init__(self) -> None:
        self._blocked: dict[str, float] = {}
        self._used: dict[str, float] = {}
        self._reset_at: dict[str, float] = {}

    @property
    def used(self) -> Mapping[str, float]:
        """Seconds of run time that each method has used, as the portal said last."""
        return self._used

    def note(self, method: str, used: float | None) -> None:
        """Remember what the portal says of a method's run time; older portals say nothing."""
        if used is not None:
            self._used[method] = used

    def note_reset(self, method: str, at: float) -> None:
        """Remember when the oldest minute of a method's run time is forgotten."""
        self._reset_at[method] = at

    def next_reset(self, method: str, now: float) -> float | None:
        """Return the seconds until the portal forgets a minute of a method's run time; None if no answer said so."""
        at = self._reset_at.get(method)
        if at is None:
            return None
        return at - now if at > now else BASKET_S - (now - at) % BASKET_S

    def block(self, method: str, seconds: float, now: float) -> None:
        """Block a method."""
        self._blocked[method] = now + seconds

    def wait(self, method: str, now: float) -> float:
        """Return the seconds until the method may be called."""
        return max(0.0, self._blocked.get(method, now) - now)


def block_seconds(reset_at: float, portal_time: float | None, our_time: float) -> float:
    """Return how long a method stays blocked. Moments are unix seconds.

    The portal's moment is compared with the portal's own clock if its answer gives the time: ours may be minutes off.
    """
    seconds = reset_at - (our_time if portal_time is None else portal_time)
    return min(max(seconds, SHORTEST_BLOCK_S), LONGEST_BLOCK_S)


@dataclass
class Waits:
    """Requests that wait for their turn now, and the seconds that all have waited together."""

    waiting: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Limiter:
    """The limits of one portal, for all clients of a process that call it. `owner` is on whose behalf a client does."""

    bucket: LeakyBucket = field(default_factory=LeakyBucket)
    operating: OperatingTimes = field(default_factory=OperatingTimes)
    waits: Waits = field(default_factory=Waits)
    owner: str = ""

    def for_owner(self, owner: str) -> Limiter:
        """Return the same limits for one of several owners, who take turns."""
        return replace(self, owner=owner)
