"""Count of the requests that a portal answered, and of those that it did not. Nothing of a request is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bi_mcp.errors import (
    AuthenticationError,
    LimitError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)

if TYPE_CHECKING:
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.request import Request, Transport

# `limit`: too many requests, or run time used up; `credential`: missing, expired or unknown; `refused`: any other error of
# the portal's own; `unexpected`: an answer that is not the API's; `unreachable`: none.
RequestOutcome = Literal["ok", "limit", "credential", "refused", "unexpected", "unreachable"]
Reachability = Literal["ok", "unreachable", "not asked yet"]

_SILENT = frozenset({"unexpected", "unreachable"})


@dataclass
class Traffic:
    """Requests to one portal by outcome, from all its clients in this process."""

    requests: Counter[RequestOutcome] = field(default_factory=Counter)
    _last: RequestOutcome | None = None

    def count(self, outcome: RequestOutcome) -> None:
        """Count a request that is over."""
        self.requests[outcome] += 1
        self._last = outcome

    def reachability(self) -> Reachability:
        """Return whether the last request got an answer of the API, be it a refusal."""
        if self._last is None:
            return "not asked yet"
        return "unreachable" if self._last in _SILENT else "ok"


class CountingTransport:
    """A transport that counts what becomes of the requests that it passes on. One that was cancelled or never sent has no outcome."""

    def __init__(self, inner: Transport, *, traffic: Traffic) -> None:
        self._inner = inner
        self._traffic = traffic

    async def send(self, request: Request) -> Envelope:
        """Send the request and count it."""
        try:
            answer = await self._inner.send(request)
        except (PortalError, UnreachableError, UnexpectedAnswerError) as error:
            self._traffic.count(_outcome_of(error))
            raise
        self._traffic.count("ok")
        return answer

    async def aclose(self) -> None:
        """Close connections."""
        await self._inner.aclose()


def _outcome_of(error: PortalError | UnreachableError | UnexpectedAnswerError) -> RequestOutcome:
    match error:
        case UnreachableError():
            return "unreachable"
        case UnexpectedAnswerError():
            return "unexpected"
        case LimitError():
            return "limit"
        case AuthenticationError():
            return "credential"
        case _:
            return "refused"
