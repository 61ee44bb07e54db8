"""Takes up what an application left that was cut off: finds out what its last request did."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.progress import remark
from bi_mcp.setup.pending import find_created

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.setup.state_file import StateKeeper

# The time for which a portal may still work on a request whose answer was lost.
SETTLED_AFTER_S = 60.0


@dataclass(frozen=True)
class Clock:
    """Unix time and sleeping, to be replaced in tests."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


async def resume(bi: BIConnector, keeper: StateKeeper, clock: Clock, *, settled_after: float) -> None:
    """Find out the outcome of the request that was in flight when the last application was cut off, and remember it.

    Waits until the portal cannot be at work on it any more. Raises `PlanError` where the outcome cannot be determined.
    """
    pending = keeper.read_pending()
    if pending is None:
        return
    state, missing = find_created(pending, await bi.snapshot(), keeper.read())
    wait = pending.started + settled_after - clock.now()
    if missing and wait > 0:
        seconds = min(wait, settled_after)
        await remark(f"Waiting {seconds:.0f} s until the portal is done with a write that broke off")
        await clock.sleep(seconds)
        state, _ = find_created(pending, await bi.snapshot(), keeper.read())
    keeper.write(state)
    keeper.write_pending(None)
