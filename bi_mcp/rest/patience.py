"""A transport that waits for its turn, keeps to the portal's limits, and repeats calls that may be repeated."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.base.progress import remark
from bi_mcp.errors import LimitError, PortalError, UnexpectedAnswerError, UnreachableError
from bi_mcp.rest.envelope import PAGE_OF_A_LIMIT
from bi_mcp.rest.rate_limit import Limiter, block_seconds
from bi_mcp.rest.retry import RUN_TIME_USED_UP, TOO_MANY_REQUESTS, RetryPolicy, may_repeat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.rest.envelope import Envelope, Timing
    from bi_mcp.rest.fair_queue import Ticket
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Request, Transport

    Failure = PortalError | UnreachableError | UnexpectedAnswerError

MAX_WAIT_S = 30.0
# A wait that a person notices is reported, and again before their client takes the silence for a failure.
NOTICED_S = 2.0
TOLD_EVERY_S = 5.0


class PatientTransport:
    """Transport whose calls wait their turn for the portal's limits, and are repeated if `retry.may_repeat` allows it.

    A wait for a limit that would be longer than `max_wait_s` is a `LimitError` that says when to try again. `limiter` may
    be shared by all clients of a portal. `clock` only ever counts on; `wall_clock` is unix time. Cancelling a call is safe
    while it waits; once its request is under way, a write may have happened.
    """

    def __init__(
        self,
        inner: Transport,
        *,
        limiter: Limiter | None = None,
        policy: RetryPolicy | None = None,
        max_wait_s: float = MAX_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._inner = inner
        self._limiter = limiter or Limiter()
        self._policy = policy or RetryPolicy()
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._kept: Ticket | None = None

    @property
    def limiter(self) -> Limiter:
        """Current knowledge of the portal's limits."""
        return self._limiter

    async def send(self, request: Request) -> Envelope:
        """Send the request when its turn has come, again if necessary."""
        method, started = request.method, self._clock()
        attempt = 0
        while True:
            attempt += 1
            await self._wait_for_method(method)
            ticket = await self._wait_for_turn(method)
            try:
                answer = await self._inner.send(request)
            except (PortalError, UnreachableError, UnexpectedAnswerError) as error:
                failure = error
            else:
                self._note(method, answer.timing)
                return answer
            self._learn(method, failure, ticket)
            elapsed = self._clock() - started
            wait = self._wait_after(method, failure, attempt, elapsed)
            if wait is None:
                raise _count_attempts(failure, attempt, elapsed) from None
            await self._pause(wait, f"{method.name} failed and will be tried again")

    async def turn(self, method: Method) -> None:
        """Wait until a request could go, without sending one: meanwhile a gathering caller collects more calls.

        The place is kept for what is sent next, without a pause: at the end of the queue it would wait as long again.
        """
        ticket = await self._queue(method)
        self._give_up_kept()
        self._kept = ticket

    async def aclose(self) -> None:
        """Close connections."""
        await self._inner.aclose()

    async def _wait_for_method(self, method: Method) -> None:
        """Wait before the queue, so that a blocked method does not hold up the others."""
        wait = self._limiter.operating.wait(method.name, self._clock())
        if wait <= 0:
            return
        self._give_up_kept()
        again_at = self._wall_clock() + wait
        if wait > self._max_wait_s:
            raise _blocked_error(method, wait, again_at)
        await self._pause(wait, f"{method.name} used up its run time until {_moment(again_at)}")

    async def _wait_for_turn(self, method: Method) -> Ticket:
        ticket, self._kept = self._kept, None
        if ticket is None:
            ticket = await self._queue(method)
        self._limiter.bucket.take(ticket, self._clock())
        return ticket

    def _give_up_kept(self) -> None:
        ticket, self._kept = self._kept, None
        if ticket is not None:
            self._limiter.bucket.leave(ticket)

    async def _queue(self, method: Method) -> Ticket:
        """Wait until a ticket is due. The ticket stays in the queue, and nothing of it if the wait is cancelled or refused."""
        bucket = self._limiter.bucket
        ticket = bucket.join(self._limiter.owner)
        try:
            await self._wait_until_due(method, ticket)
        except BaseException:
            bucket.leave(ticket)
            raise
        return ticket

    async def _wait_until_due(self, method: Method, ticket: Ticket) -> None:
        bucket = self._limiter.bucket
        wait = bucket.wait(ticket, self._clock())
        if wait > self._max_wait_s:
            raise _crowded_error(method, wait, bucket.ahead(ticket))
        if wait <= 0:
            return
        waits, last = self._limiter.waits, self._clock()
        waits.waiting += 1
        try:
            while wait > 0:
                pace = f"the portal takes {bucket.drain_per_s:g} requests a second, and {bucket.waiting} wait"
                await self._rest(wait, pace)
                now = self._clock()
                waits.seconds += now - last
                last, wait = now, bucket.wait(ticket, now)
        finally:
            waits.waiting -= 1

    def _note(self, method: Method, timing: Timing) -> None:
        operating, now = self._limiter.operating, self._clock()
        operating.note(method.name, timing.operating)
        if timing.operating_reset_at is not None:
            seconds = block_seconds(timing.operating_reset_at, timing.portal_time, self._wall_clock())
            operating.note_reset(method.name, now + seconds)

    def _learn(self, method: Method, failure: Failure, ticket: Ticket) -> None:
        if not isinstance(failure, PortalError):
            return
        now = self._clock()
        if failure.code in {TOO_MANY_REQUESTS, PAGE_OF_A_LIMIT}:
            self._limiter.bucket.learn_from_refusal(ticket, now)
        if failure.code == RUN_TIME_USED_UP:
            seconds = self._blocked_for(method, failure, now)
            if seconds is not None:
                self._limiter.operating.block(method.name, seconds, now)

    def _blocked_for(self, method: Method, failure: PortalError, now: float) -> float | None:
        """Return how long a method stays blocked. The vendor holds the last success to be more exact than the refusal."""
        known = self._limiter.operating.next_reset(method.name, now)
        if known is not None or failure.retry_at is None:
            return known
        return block_seconds(failure.retry_at, failure.portal_time, self._wall_clock())

    def _wait_after(self, method: Method, failure: Failure, attempt: int, elapsed: float) -> float | None:
        if not may_repeat(method, failure):
            return None
        if isinstance(failure, PortalError) and failure.code == RUN_TIME_USED_UP:
            # The portal sets the length of this wait, which comes before the next attempt.
            known = self._limiter.operating.wait(method.name, self._clock()) > 0
            return 0.0 if known and attempt <= self._policy.retries else None
        return self._at_least(failure, self._policy.wait_s(attempt, elapsed))

    def _at_least(self, failure: Failure, wait: float | None) -> float | None:
        """Return the wait of the policy, or the longer one that the answer asks for; None for one that is too long."""
        asked = failure.retry_after if isinstance(failure, PortalError) else None
        if wait is None or asked is None:
            return wait
        return max(wait, asked) if asked <= self._max_wait_s else None

    async def _pause(self, seconds: float, reason: str) -> None:
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            await self._rest(left, reason)

    async def _rest(self, left: float, reason: str) -> None:
        """Wait for a part of the remaining time."""
        if left > NOTICED_S:
            await remark(f"Waiting {left:.0f} s: {reason}")
        await self._sleep(min(left, TOLD_EVERY_S))


def _blocked_error(method: Method, wait: float, again_at: float) -> LimitError:
    error = LimitError(
        method=method.name,
        code=RUN_TIME_USED_UP,
        message=say("the method has used up its run time of ten minutes"),
        hint=say(
            "Nothing happened. It can be called again in {wait} s, at {again_at}; other methods work.",
            wait=ceil(wait),
            again_at=_moment(again_at),
        ),
        status=429,
    )
    error.retry_at = again_at
    return error


def _crowded_error(method: Method, wait: float, ahead: int) -> LimitError:
    return LimitError(
        method=method.name,
        code=TOO_MANY_REQUESTS,
        message=say(
            "{ahead} requests wait for the portal already, and this one would wait {wait} s",
            ahead=ahead,
            wait=ceil(wait),
        ),
        hint=say("It was not sent and nothing happened. Try again later."),
        status=503,
    )


def _moment(unix_time: float) -> str:
    return f"{datetime.fromtimestamp(unix_time, UTC):%H:%M:%S} UTC"


def _count_attempts(failure: Failure, attempts: int, elapsed: float) -> Failure:
    """Add the number of attempts and their time to the text of an error after more than one; a portal's own stays."""
    if attempts > 1 and not isinstance(failure, PortalError):
        tried = say(
            "{failure} Tried {attempts} times in {elapsed:.0f} s.",
            failure=failure,
            attempts=attempts,
            elapsed=elapsed,
        )
        failure.args = (tried,)
    return failure
