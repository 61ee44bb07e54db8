"""The limiter against the portal's own counter, in numbers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import pytest

from bi_mcp.practice.portal.answers import SystemFault
from bi_mcp.practice.portal.limits import Limits, build_limits
from bi_mcp.rest.fair_queue import Ticket
from bi_mcp.rest.rate_limit import (
    ENTERPRISE,
    FORGOTTEN_AFTER_S,
    LEAST_SHARE,
    MARGIN,
    STANDARD,
    LeakyBucket,
    OperatingTimes,
    RatePlan,
    block_seconds,
)

SMALL = RatePlan(capacity=3 + MARGIN, drain_per_s=2)


def go(bucket: LeakyBucket, now: float) -> Ticket:
    ticket = bucket.join()
    bucket.take(ticket, now)
    return ticket


def test_what_fits_goes_at_once_and_the_rest_at_the_rate_of_the_drain() -> None:
    bucket = LeakyBucket(SMALL)
    tickets = [bucket.join() for _ in range(6)]
    assert [bucket.wait(ticket, 0.0) for ticket in tickets] == [0, 0, 0, 0.5, 1.0, 1.5]


def test_an_idle_bucket_runs_empty_and_no_further() -> None:
    bucket = LeakyBucket(SMALL)
    for _ in range(3):
        go(bucket, 0.0)
    assert (bucket.level(0.0), bucket.level(1.0), bucket.level(100.0)) == (3, 1, 0)
    tickets = [bucket.join() for _ in range(4)]
    assert [bucket.wait(ticket, 100.0) for ticket in tickets] == [0, 0, 0, 0.5]


def test_who_leaves_the_queue_leaves_nothing_behind() -> None:
    bucket = LeakyBucket(SMALL)
    first, second, third = (bucket.join() for _ in range(3))
    for _ in range(3):
        bucket.join()
    bucket.leave(second)
    assert bucket.waiting == 5
    assert bucket.wait(third, 0.0) == 0
    assert bucket.level(0.0) == 0
    bucket.take(first, 0.0)
    assert bucket.waiting == 4


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = LeakyBucket(SMALL)
    go(bucket, 100.0)
    assert bucket.level(40.0) == 1
    assert bucket.level(100.5) == 0


@dataclass
class Caller:
    """One process: its bucket, and how its requests fared. They arrive up to 0.4 s after they left."""

    bucket: LeakyBucket
    portal: Limits
    delays: Iterator[float] = field(default_factory=lambda: cycle((0.3, 0.0, 0.4, 0.1, 0.2, 0.0, 0.0)))
    next_at: float = 0.0
    gone: int = 0
    refused: int = 0

    def step(self) -> None:
        """Send one request as soon as the bucket lets it."""
        ticket = self.bucket.join()
        now = self.next_at + self.bucket.wait(ticket, self.next_at)
        self.bucket.take(ticket, now)
        self.gone += 1
        self.next_at = now
        try:
            self.portal.admit("here", now + next(self.delays))
        except SystemFault:
            self.refused += 1
            self.bucket.learn_from_refusal(ticket, now)


@pytest.mark.parametrize(("name", "plan"), [("standard", STANDARD), ("enterprise", ENTERPRISE)])
def test_a_portal_of_the_plan_refuses_nothing_and_is_used_to_the_full(name: str, plan: RatePlan) -> None:
    caller = Caller(LeakyBucket(plan), build_limits(name))
    for _ in range(1000):
        caller.step()
    assert caller.refused == 0
    assert caller.next_at == pytest.approx((1000 - plan.capacity + MARGIN) / plan.drain_per_s, abs=1)


def test_who_takes_a_standard_plan_for_enterprise_is_put_right() -> None:
    caller = Caller(LeakyBucket(ENTERPRISE), build_limits("standard"))
    for _ in range(500):
        caller.step()
    assert caller.refused < 10
    assert caller.bucket.capacity < ENTERPRISE.capacity / 3
    assert caller.bucket.drain_per_s < 2


def test_two_processes_of_one_address_come_to_share_it() -> None:
    portal = build_limits("standard")
    callers = [Caller(LeakyBucket(STANDARD), portal) for _ in range(2)]
    for _ in range(800):
        min(callers, key=lambda caller: caller.next_at).step()
    sent = [caller.gone for caller in callers]
    assert sum(caller.refused for caller in callers) < 20
    assert min(sent) > 0.3 * sum(sent)


def test_requests_refused_together_are_one_lesson() -> None:
    bucket = LeakyBucket(ENTERPRISE)
    tickets = [go(bucket, 0.0) for _ in range(60)]
    for ticket in reversed(tickets[50:]):
        bucket.learn_from_refusal(ticket, 0.1)
    assert bucket.drain_per_s == ENTERPRISE.drain_per_s / 2
    assert bucket.capacity == 50
    # All sixty are in the portal's bucket, refused or not.
    assert bucket.level(0.1) == pytest.approx(59.5)


def test_a_refusal_where_there_seemed_to_be_room_means_that_the_bucket_is_full() -> None:
    bucket = LeakyBucket(STANDARD)
    for _ in range(10):
        refused = go(bucket, 0.0)
    assert bucket.level(8.0) == 0
    bucket.learn_from_refusal(refused, 8.0)
    assert bucket.level(8.0) == bucket.capacity == 9
    assert bucket.wait(bucket.join(), 8.0) == 1 / bucket.drain_per_s


def test_lessons_go_only_so_far_and_are_forgotten() -> None:
    bucket = LeakyBucket(STANDARD)
    for second in range(20):
        bucket.learn_from_refusal(go(bucket, float(second) + 0.5), second + 0.6)
    assert bucket.drain_per_s == STANDARD.drain_per_s * LEAST_SHARE
    assert bucket.capacity >= 1
    bucket.level(20 + FORGOTTEN_AFTER_S)
    assert bucket.drain_per_s == STANDARD.drain_per_s
    assert bucket.capacity == STANDARD.capacity - MARGIN


def test_a_blocked_method_blocks_no_other() -> None:
    times = OperatingTimes()
    times.block("a", 20.0, now=100.0)
    assert [times.wait("a", now) for now in (100.0, 115.0, 120.0, 500.0)] == [20.0, 5.0, 0.0, 0.0]
    assert times.wait("b", 100.0) == 0


@pytest.mark.parametrize(
    ("reset_at", "portal_time", "our_time", "seconds"),
    [
        (1020.0, 1000.0, 1000.0, 20.0),
        (1020.0, 1000.0, 400.0, 20.0),
        (1020.0, 1000.0, 1600.0, 20.0),
        (1020.0, None, 1000.0, 20.0),
        (1020.0, None, 1600.0, 1.0),
        (1020.0, None, 0.0, 600.0),
        (1020.0, 1030.0, 1030.0, 1.0),
        (1e18, 1000.0, 1000.0, 600.0),
    ],
)
def test_a_block_is_measured_by_the_portals_own_clock_and_within_reason(
    reset_at: float, portal_time: float | None, our_time: float, seconds: float
) -> None:
    assert block_seconds(reset_at, portal_time, our_time) == seconds


def test_a_part_of_the_plan_is_kept_to_and_given_back() -> None:
    bucket = LeakyBucket(STANDARD)
    whole, drain = bucket.capacity, bucket.drain_per_s
    bucket.take_part(0.5)
    assert (bucket.capacity, bucket.drain_per_s) == (STANDARD.capacity / 2 - 2, drain / 2)
    bucket.take_part(1.0)
    assert (bucket.capacity, bucket.drain_per_s) == (whole, drain)


def test_a_part_that_grows_does_not_undo_what_a_refusal_taught() -> None:
    bucket = LeakyBucket(STANDARD)
    bucket.take_part(0.5)
    ticket = bucket.join()
    bucket.take(ticket, 0.0)
    bucket.learn_from_refusal(ticket, 0.0)
    taught = bucket.capacity
    bucket.take_part(1.0)
    assert bucket.capacity == taught
    assert bucket.level(601.0) == 0
    assert bucket.capacity == STANDARD.capacity - 2
