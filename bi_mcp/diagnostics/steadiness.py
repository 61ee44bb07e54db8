"""Asks again what failed in a way that may pass, so that nothing is blamed for what an endpoint does now and then anyway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bi_mcp.errors import EndpointError, EndpointReason

Answered = TypeVar("Answered")

# Two in a row: one of them differs even where every second call fails.
REPEATED = 2
_PASSING: frozenset[EndpointReason] = frozenset({"not_json", "empty", "encoding"})


async def ask_steadily(
    ask: Callable[[], Awaitable[Answered]], unsteady: Callable[[EndpointError], None]
) -> Answered:
    """The first answer of some calls that are all the same; `unsteady` is told of a failure before it.

    Raises the first EndpointError where every call fails, at once where the same call would only fail again.
    """
    try:
        return await ask()
    except EndpointError as error:
        if not _may_pass(error):
            raise
        first = error
    for _ in range(REPEATED):
        try:
            answered = await ask()
        except EndpointError:
            continue
        unsteady(first)
        return answered
    raise first


def _may_pass(error: EndpointError) -> bool:
    return error.reason in _PASSING or (error.status or 0) >= 500
