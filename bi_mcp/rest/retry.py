"""Pure: rules for repeating a call: which calls, after how long, and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.errors import PortalError, UnexpectedAnswerError, UnreachableError
from bi_mcp.rest.envelope import PAGE_OF_A_LIMIT
from bi_mcp.rest.error_codes import UNCERTAIN_CODES
from bi_mcp.rest.methods import Effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.errors import BiMcpError
    from bi_mcp.rest.methods import Method

TOO_MANY_REQUESTS = "QUERY_LIMIT_EXCEEDED"
RUN_TIME_USED_UP = "OPERATION_TIME_LIMIT"
# Refused before anything happened, and for a while only.
_PASSING = frozenset({TOO_MANY_REQUESTS, RUN_TIME_USED_UP, PAGE_OF_A_LIMIT})


@dataclass(frozen=True)
class RetryPolicy:
    """At most `retries` repetitions, none of them begun later than `within_s` after the first attempt.

    The waits double from `first_wait_s` to `longest_wait_s`; of each at least half is kept and the rest left to chance.
    """

    retries: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0
    within_s: float = 60.0
    random: Callable[[], float] = random.random

    def wait_s(self, attempt: int, elapsed: float) -> float | None:
        """Return the seconds to wait after the failed attempt (the first is 1); None when it was the last."""
        if attempt > self.retries:
            return None
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(attempt - 1, 30))
        wait = longest * (0.5 + 0.5 * self.random())
        return wait if elapsed + wait <= self.within_s else None


def may_repeat(method: Method, error: BiMcpError) -> bool:
    """Check whether a call may be repeated: a read after a passing fault, a write only if nothing can have happened."""
    if isinstance(error, PortalError) and error.code in _PASSING:
        return True
    if isinstance(error, UnreachableError):
        return not error.may_have_happened and not error.lasting
    if method.effect is not Effect.READ:
        return False
    if isinstance(error, UnexpectedAnswerError):
        # A page with 200 is maintenance or a cut-off answer; redirects and pages with 4xx do not pass.
        return error.status == 200 or error.status >= 500
    return isinstance(error, PortalError) and error.code in UNCERTAIN_CODES
