"""Owners take turns, and nothing is lost on the way. In numbers only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.rest.fair_queue import FairQueue, Ticket
from bi_mcp.rest.rate_limit import MARGIN, LeakyBucket, Limiter, RatePlan

NARROW = RatePlan(capacity=2 + MARGIN, drain_per_s=2)

# A step of a history: an owner joins, the one whose turn it is goes, somebody leaves, everyone leaves.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from("abcde")),
        st.tuples(st.just("go"), st.just("")),
        st.tuples(st.just("leave"), st.integers(0, 1_000)),
    ),
    max_size=120,
)


def order(queue: FairQueue, tickets: list[Ticket]) -> list[str]:
    return [ticket.owner for ticket in sorted(tickets, key=queue.ahead)]


@dataclass
class History:
    """A queue that is used, with what waits in it and who went while others waited."""

    queue: FairQueue = field(default_factory=FairQueue)
    waiting: list[Ticket] = field(default_factory=list)
    gone: list[Ticket] = field(default_factory=list)
    # Of each owner who waits: how often each other one has gone since it joined or went last.
    passed: dict[str, Counter[str]] = field(default_factory=dict)

    def do(self, step: str, choice: str | int) -> None:
        if step == "join":
            self.waiting.append(self.queue.join(str(choice)))
            self.passed.setdefault(str(choice), Counter())
        elif self.waiting and step == "go":
            self._go(min(self.waiting, key=self.queue.ahead))
        elif self.waiting:
            ticket = self.waiting.pop(int(choice) % len(self.waiting))
            self.queue.leave(ticket)
            self._forget_idle()

    def _go(self, ticket: Ticket) -> None:
        self.queue.serve(ticket)
        self.waiting.remove(ticket)
        self.gone.append(ticket)
        for passed in self.passed.values():
            passed[ticket.owner] += 1
        self.passed[ticket.owner] = Counter()
        self._forget_idle()

    def _forget_idle(self) -> None:
        owners = {ticket.owner for ticket in self.waiting}
        self.passed = {owner: passed for owner, passed in self.passed.items() if owner in owners}


@settings(deadline=None)
@given(STEPS)
def test_while_an_owner_waits_each_other_owner_goes_at_most_once(steps: list[tuple[str, str | int]]) -> None:
    history = History()
    for step, choice in steps:
        history.do(step, choice)
        assert all(count <= 1 for passed in history.passed.values() for count in passed.values())


@settings(deadline=None)
@given(STEPS)
def test_every_place_is_taken_once_and_owners_keep_their_order(steps: list[tuple[str, str | int]]) -> None:
    history = History()
    for step, choice in steps:
        history.do(step, choice)
        queue, waiting = history.queue, history.waiting
        assert sorted(map(queue.ahead, waiting)) == list(range(len(waiting))) == list(range(len(queue)))
        for owner in {ticket.owner for ticket in waiting}:
            own = [queue.ahead(ticket) for ticket in waiting if ticket.owner == owner]
            assert own == sorted(own), "an owner's tickets go in the order in which they joined"
    while history.waiting:
        history.do("go", "")
    assert len(history.queue) == 0


@settings(deadline=None)
@given(STEPS)
def test_the_order_that_was_foretold_is_kept_if_nobody_joins_or_leaves(
    steps: list[tuple[str, str | int]],
) -> None:
    history = History()
    for step, choice in steps:
        history.do(step, choice)
    foretold = sorted(history.waiting, key=history.queue.ahead)
    history.gone.clear()
    while history.waiting:
        history.do("go", "")
    assert history.gone == foretold


@settings(deadline=None)
@given(STEPS, st.floats(0.01, 3))
def test_owners_together_never_take_more_than_the_bucket_holds(
    steps: list[tuple[str, str | int]], pause: float
) -> None:
    bucket, waiting, now, gone = LeakyBucket(NARROW), list[Ticket](), 0.0, 0
    for step, choice in steps:
        if step == "join":
            waiting.append(bucket.join(str(choice)))
        elif step == "leave" and waiting:
            bucket.leave(waiting.pop(int(choice) % len(waiting)))
        else:
            now += pause
        # Whoever is due goes, in the order of the event loop and not of the queue.
        for ticket in [ticket for ticket in waiting if bucket.wait(ticket, now) == 0]:
            if bucket.wait(ticket, now) == 0:
                bucket.take(ticket, now)
                waiting.remove(ticket)
                gone += 1
        assert bucket.level(now) <= bucket.capacity + 1e-6
        assert gone <= bucket.capacity + now * bucket.drain_per_s + 1e-6
        assert bucket.waiting == len(waiting)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=30))
def test_the_first_of_an_owner_that_is_due_stays_due_whoever_joins(owners: list[str]) -> None:
    bucket = LeakyBucket(NARROW)
    first = bucket.join("mine")
    bucket.join("mine")
    assert bucket.wait(first, 0.0) == 0
    for owner in owners:
        bucket.join(owner)
        assert bucket.wait(first, 0.0) == 0


def test_a_newcomer_waits_for_one_request_however_many_wait() -> None:
    queue = FairQueue()
    many = [queue.join("mapper") for _ in range(1000)]
    queue.serve(many[0])
    newcomer = queue.join("newcomer")
    assert queue.ahead(newcomer) == 0
    assert [queue.ahead(ticket) for ticket in many[1:4]] == [1, 2, 3]
    later = queue.join("later")
    assert order(queue, [newcomer, later, *many[1:4]]) == ["newcomer", "later", "mapper", "mapper", "mapper"]


def test_who_comes_again_and_again_does_not_shut_out_who_waits() -> None:
    queue = FairQueue()
    waits = queue.join("waits")
    eager = queue.join("eager")
    assert order(queue, [waits, eager]) == ["waits", "eager"]
    queue.serve(eager)
    assert order(queue, [queue.join("eager"), waits]) == ["waits", "eager"]


def test_what_was_served_is_forgotten_when_nobody_waits() -> None:
    queue = FairQueue()
    for number in range(1000):
        queue.serve(queue.join(f"person {number}"))
    first, second = queue.join("person 999"), queue.join("person 998")
    assert order(queue, [first, second]) == ["person 998", "person 999"]
    # It must not grow with the people of a portal.
    assert len(queue._served_at) == 1


def test_owners_share_bucket_and_run_times_of_a_limiter() -> None:
    limiter = Limiter(LeakyBucket(NARROW))
    mine, yours = limiter.for_owner("mine"), limiter.for_owner("yours")
    assert mine.bucket is yours.bucket is limiter.bucket
    assert mine.operating is yours.operating is limiter.operating
    assert mine.waits is limiter.waits
    mine.operating.block("method", 10.0, 0.0)
    assert yours.operating.wait("method", 0.0) == pytest.approx(10.0)
