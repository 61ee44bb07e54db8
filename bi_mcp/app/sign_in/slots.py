"""A bounded number of documents that strangers can make the store keep."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.app.sign_in.documents import Documents

# With half of the slots taken, one stranger in 65,536 finds none at once.
_TRIES = 16


class Slots:
    """`most` slots of a kind, shared by all replicas, each for one document. It is free again after `lifetime_s`.

    A flood of requests fills the slots and not the store. Where none is free, a document gives way that had its slot for
    `firm_s`: so a flood keeps others out for no longer than that.
    """

    def __init__(
        self,
        documents: Documents,
        kind: str,
        *,
        most: int,
        lifetime_s: float,
        firm_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._documents = documents
        self._kind = kind
        self._most = most
        self._lifetime_s = lifetime_s
        self._firm_s = firm_s
        self._clock = clock

    async def take(self, holder: str) -> str | None:
        """Take a slot for the document of this name, and return the slot's name. None where all are held firmly."""
        for _ in range(_TRIES):
            slot = self._draw()
            if await self._hold(slot, holder):
                return slot
        slot = self._draw()
        return slot if await self._evict(slot) and await self._hold(slot, holder) else None

    async def pass_on(self, slot: str, holder: str) -> None:
        """Let another document have a slot, for a lifetime of its own."""
        held = {"holder": holder, "since": self._clock()}
        await self._documents.put(slot, held, lifetime_s=self._lifetime_s)

    async def free(self, slot: str) -> None:
        """Free a slot before its time."""
        await self._documents.delete(slot)

    def _draw(self) -> str:
        return f"slots/{self._kind}/{secrets.randbelow(self._most)}"

    async def _hold(self, slot: str, holder: str) -> bool:
        held = {"holder": holder, "since": self._clock()}
        return await self._documents.add(slot, held, lifetime_s=self._lifetime_s)

    async def _evict(self, slot: str) -> bool:
        """Delete the document of a slot if it had it for long enough. Of all who try at once, one does."""
        held = await self._documents.get(slot)
        if held is None or self._clock() - held["since"] < self._firm_s:
            return held is None
        evicted = await self._documents.take(slot)
        if evicted is not None:
            await self._documents.delete(evicted["holder"])
        return evicted is not None
