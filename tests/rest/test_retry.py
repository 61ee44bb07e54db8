"""Which call is sent again, after how long, and how often."""

from __future__ import annotations

import pytest

from bi_mcp.errors import BiMcpError, InvalidRequestError, UnexpectedAnswerError, UnreachableError
from bi_mcp.rest.error_codes import ERROR_CODES, error_for
from bi_mcp.rest.methods import BATCH, METHODS, TABLE_METHODS, Effect, Method, method
from bi_mcp.rest.retry import RetryPolicy, may_repeat

EVERY_METHOD = pytest.mark.parametrize("called", [*METHODS, *TABLE_METHODS, BATCH], ids=lambda m: m.name)
GET = method("source", "get")
LIMITS = {"QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT"}
FAILED_INSIDE = {"INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"}


def unreachable(called: Method, *, may_have_happened: bool) -> BiMcpError:
    return UnreachableError("gone", method=called.name, may_have_happened=may_have_happened)


def unexpected(status: int) -> BiMcpError:
    return UnexpectedAnswerError("a page", method=GET.name, status=status)


@EVERY_METHOD
def test_of_a_portals_errors_limits_pass_for_all_and_inner_failures_for_reads(called: Method) -> None:
    repeated = {code for code in ERROR_CODES if may_repeat(called, error_for(called, code, "", 500))}
    assert repeated == (LIMITS | FAILED_INSIDE if called.effect is Effect.READ else LIMITS)


@EVERY_METHOD
def test_where_nothing_was_sent_everything_may_be_sent_again(called: Method) -> None:
    assert may_repeat(called, unreachable(called, may_have_happened=False))
    assert not may_repeat(called, unreachable(called, may_have_happened=True))


@EVERY_METHOD
def test_what_will_fare_alike_is_not_sent_again(called: Method) -> None:
    lasting = UnreachableError("not trusted", method=called.name, may_have_happened=False, lasting=True)
    assert not may_repeat(called, lasting)


@EVERY_METHOD
@pytest.mark.parametrize("status", [200, 301, 403, 404, 500, 502, 504])
def test_an_answer_that_is_none_is_asked_for_again_by_reads(called: Method, status: int) -> None:
    passing = status in {200, 500, 502, 504}
    assert may_repeat(called, unexpected(status)) == (passing and called.effect is Effect.READ)


def test_what_was_refused_before_it_was_sent_stays_refused() -> None:
    assert not may_repeat(GET, InvalidRequestError("no"))


def test_waits_double_up_to_the_longest() -> None:
    policy = RetryPolicy(retries=6, first_wait_s=0.5, longest_wait_s=8.0, random=lambda: 1.0)
    assert [policy.wait_s(attempt, 0.0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, None]
    assert RetryPolicy(retries=10**6, random=lambda: 1.0).wait_s(10**6, 0.0) == 8.0


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_half_of_a_wait_is_left_to_chance(chance: float, wait: float) -> None:
    assert RetryPolicy(random=lambda: chance).wait_s(3, 0.0) == wait


def test_nothing_is_repeated_after_the_time_for_it() -> None:
    policy = RetryPolicy(within_s=10.0, random=lambda: 1.0)
    assert policy.wait_s(1, 9.5) == 0.5
    assert policy.wait_s(1, 9.6) is None
    assert RetryPolicy(retries=0).wait_s(1, 0.0) is None
