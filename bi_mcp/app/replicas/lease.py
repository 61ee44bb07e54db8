"""A lock in a store that can only put and get.

A replica that finds the lease free writes its name, waits until every other write that began before its own has ended,
and has the lease if its name is still there (Fischer's algorithm). That holds as long as a write takes less than the
wait; a slower replica gives up by itself. A holder that dies frees the lease after its lifetime. So two may meet only
when a store stalls in the middle of a write or a holder outlives its lease. Work under a lease must survive that: the
tokens do, see `shared_tokens`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from key_value.aio.protocols import AsyncKeyValue

COLLECTION = "bi_mcp_leases"
SETTLE_S = 0.3
LIFETIME_S = 60.0
# Longer than a lease lives, so that a dead holder's is outlived.
PATIENCE_S = 90.0
_POLL_S = 0.1


class LeaseTimeoutError(TimeoutError):
    """Another holder has had the lease all the time."""


class Lease:
    """`async with Lease(store, name)`: no other holder of this name in this store is inside. Used once. Raises `LeaseTimeoutError`."""

    def __init__(
        self,
        store: AsyncKeyValue,
        name: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = anyio.current_time,
        patience: float = PATIENCE_S,
    ) -> None:
        self._store = store
        self._name = name
        self._sleep = sleep
        self._clock = clock
        self._patience = patience
        self._owner = secrets.token_hex(16)

    async def acquire(self) -> None:
        """Wait for the lease."""
        deadline = self._clock() + self._patience
        try:
            while not await self._taken():
                self._check_patience(deadline)
                await self._sleep(_POLL_S)
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Free the lease, unless it has passed to another holder."""
        with anyio.CancelScope(shield=True):
            if await self._holder() == self._owner:
                await self._store.delete(self._name, collection=COLLECTION)

    async def __aenter__(self) -> None:
        """Wait for the lease."""
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        """Free it."""
        await self.release()

    async def _taken(self) -> bool:
        asked_at = self._clock()
        if await self._holder() is not None:
            return False
        await self._store.put(self._name, {"owner": self._owner}, collection=COLLECTION, ttl=LIFETIME_S)
        if self._clock() - asked_at >= SETTLE_S:
            await self.release()
            return False
        await self._sleep(SETTLE_S)
        return await self._holder() == self._owner

    def _check_patience(self, deadline: float) -> None:
        if self._clock() >= deadline:
            raise LeaseTimeoutError(f"the lease {self._name!r} was not free for {self._patience:.0f} s")

    async def _holder(self) -> object:
        entry = await self._store.get(self._name, collection=COLLECTION)
        return None if entry is None else entry.get("owner")
