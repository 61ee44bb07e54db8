from __future__ import annotations

import pytest

from bi_mcp.practice.portal.answers import SystemFault
from bi_mcp.practice.portal.limits import Limits, build_limits

METHOD = "biconnector.source.list"


def admitted(limits: Limits, now: float, *, ip: str = "10.0.0.1", tries: int = 1000) -> int:
    """How many requests in a row pass before the first refusal."""
    for number in range(tries):
        try:
            limits.admit(ip, now)
        except SystemFault:
            return number
    return tries


@pytest.mark.parametrize(("name", "capacity"), [("standard", 50), ("enterprise", 250)])
def test_a_burst_fills_the_bucket_and_the_next_request_is_refused(name: str, capacity: int) -> None:
    limits = build_limits(name)
    assert admitted(limits, now=0) == capacity
    with pytest.raises(SystemFault) as refusal:
        limits.admit("10.0.0.1", now=0)
    assert (refusal.value.status, refusal.value.code) == (503, "QUERY_LIMIT_EXCEEDED")


@pytest.mark.parametrize(("name", "drain"), [("standard", 2), ("enterprise", 5)])
def test_the_bucket_drains_at_its_rate(name: str, drain: int) -> None:
    limits = build_limits(name)
    admitted(limits, now=0)
    # The refused request is in the bucket too: its place has to drain before another one fits.
    assert admitted(limits, now=3) == 3 * drain - 1


def test_an_idle_bucket_is_empty_and_not_in_credit() -> None:
    limits = build_limits("standard")
    assert admitted(limits, now=0) == 50
    assert admitted(limits, now=100_000) == 50


def test_every_source_address_has_its_own_bucket() -> None:
    limits = build_limits("standard")
    admitted(limits, now=0)
    assert admitted(limits, now=0, ip="10.0.0.2") == 50


def test_off_admits_everything_and_still_reports_run_time() -> None:
    limits = build_limits("off")
    assert admitted(limits, now=0) == 1000
    assert limits.after(METHOD, 500, now=10) == (500, 600)
    limits.before(METHOD, now=11)


def test_run_time_is_counted_in_ten_baskets_of_a_minute() -> None:
    limits = build_limits("standard")
    assert limits.after(METHOD, 2.5, now=1000) == (2.5, 1560)
    assert limits.after(METHOD, 1.5, now=1100) == (4.0, 1560)
    assert limits.after("biconnector.source.get", 1, now=1200) == (1.0, 1800)
    # The oldest basket is dropped, not the whole sum.
    assert limits.after(METHOD, 1, now=1560) == (2.5, 1680)
    assert limits.after(METHOD, 1, now=99_999) == (1.0, 100_560)


def test_a_method_over_its_run_time_is_blocked_until_a_basket_is_dropped_and_the_others_are_not() -> None:
    limits = build_limits("standard")
    limits.after(METHOD, 480, now=1000.5)
    limits.before(METHOD, now=1001)
    assert limits.after(METHOD, 1, now=1100) == (481, 1560)
    with pytest.raises(SystemFault) as refusal:
        limits.before(METHOD, now=1559.9)
    assert (refusal.value.status, refusal.value.code) == (429, "OPERATION_TIME_LIMIT")
    limits.before("biconnector.source.get", now=1559.9)
    limits.before(METHOD, now=1560)
