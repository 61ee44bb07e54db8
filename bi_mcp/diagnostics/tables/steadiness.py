"""Asks again what failed in a way that may pass, and counts how often that happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bi_mcp.errors import EndpointError, EndpointReason

Answered = TypeVar("Answered")

# Two in a row: one of them differs even where every second call fails.
REPEATED = 2
_PASSING: frozenset[EndpointReason] = frozenset({"not_json", "empty", "encoding"})


@dataclass
class Tally:
    """Calls of one endpoint. `failed` of them did so by chance: the same call was answered another time."""

    calls: int = 0
    failed: int = 0
    first: EndpointError | None = None

    def add_failures(self, failed: int, error: EndpointError) -> None:
        """Count failures after which the same call was answered."""
        self.failed += failed
        self.first = self.first or error


async def ask_steadily(
    ask: Callable[[], Awaitable[Answered]], tally: Tally, *, repeated: int = REPEATED
) -> Answered:
    """Return the first answer of some calls that are all the same.

    Raises the first EndpointError where every call fails, at once where the same call would only fail again.
    """
    first: EndpointError | None = None
    for failures in range(1 + repeated):
        tally.calls += 1
        try:
            answered = await ask()
        except EndpointError as error:
            first = first or error
            if error.reason not in _PASSING and (error.status or 0) < 500:
                break
            continue
        if first is not None:
            tally.add_failures(failures, first)
        return answered
    if first is None:
        raise AssertionError("no call was made")
    raise first
