"""The portal counts the requests of all replicas together, so each takes an equal share of what it allows.

Every replica keeps one slot of a fixed row alive; the living slots are the replicas. A slot has one writer, so no
update is lost in a store that cannot compare and swap. Two that choose the same slot notice it at the next beat. A new
replica counts itself from its first beat, the others learn of it one beat later: for that long they may take too much
together, which the portal answers with a refusal that the limiter learns from. Shares are equal because a load balancer
spreads calls evenly; what an idle replica does not use is lost for a while, never taken twice.
"""

from __future__ import annotations

import logging
import random
import secrets
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from key_value.aio.protocols import AsyncKeyValue

COLLECTION = "bi_mcp_replicas"
SLOTS = tuple(f"slot_{number}" for number in range(32))
BEAT_S = 5.0
# A replica that missed two beats is gone.
LIFETIME_S = 15.0

logger = logging.getLogger(__name__)


class SharedBudget:
    """The `share` of this replica in the requests that the portal allows, between 0 and 1.

    While the store is out of reach the last share stays.
    """

    def __init__(
        self,
        store: AsyncKeyValue,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        choose: Callable[[Sequence[str]], str] = random.choice,
    ) -> None:
        self._store = store
        self._followers: list[Callable[[float], None]] = []
        self._sleep = sleep
        self._choose = choose
        self._name = secrets.token_hex(8)
        self._slot: str | None = None
        self._share = 1.0

    @property
    def share(self) -> float:
        """The fraction of the portal's budget that this replica may use."""
        return self._share

    def follow(self, tell: Callable[[float], None]) -> None:
        """Give a limiter the share now and whenever it changes."""
        self._followers.append(tell)
        tell(self._share)

    async def beat(self) -> None:
        """Keep this replica's slot alive and count the others."""
        kept = await self._store.get_many(list(SLOTS), collection=COLLECTION)
        owners = {slot: entry["replica"] for slot, entry in zip(SLOTS, kept, strict=True) if entry}
        if self._slot is None or owners.get(self._slot, self._name) != self._name:
            free = [slot for slot in SLOTS if slot not in owners]
            self._slot = self._choose(free) if free else None
        if self._slot is not None:
            await self._store.put(self._slot, {"replica": self._name}, collection=COLLECTION, ttl=LIFETIME_S)
        self._set(1 / len({*owners.values(), self._name}))

    async def run(self) -> None:
        """Beat until cancelled, and leave."""
        try:
            while True:
                await self._try(self.beat)
                await self._sleep(BEAT_S)
        finally:
            with anyio.move_on_after(BEAT_S, shield=True):
                await self._try(self.leave)

    async def leave(self) -> None:
        """Free the slot, so that the others need not wait until it expires."""
        slot, self._slot = self._slot, None
        if slot is None:
            return
        entry = await self._store.get(slot, collection=COLLECTION)
        if entry is not None and entry["replica"] == self._name:
            await self._store.delete(slot, collection=COLLECTION)

    def _set(self, share: float) -> None:
        if share == self._share:
            return
        self._share = share
        for tell in self._followers:
            tell(share)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except Exception as error:  # noqa: BLE001  every store has its own errors, and none may end the server
            logger.warning(
                "The shared store (BI_MCP_SHARED_STORE) does not answer (%s); this replica keeps %.0f%% of the portal's limit.",
                type(error).__name__,
                self._share * 100,
            )
