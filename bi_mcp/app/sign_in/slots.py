"""A bounded number of things that strangers can make the store keep."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.documents import Documents

# With half of the slots taken, one stranger in 65,536 is turned away.
_TRIES = 16


class Slots:
    """`most` slots of a kind, shared by all replicas. A slot becomes free when it is freed or after `lifetime_s`.

    What strangers may create is kept only with a slot, so that a flood of requests fills the slots and not the store.
    """

    def __init__(self, documents: Documents, kind: str, *, most: int, lifetime_s: float) -> None:
        self._documents = documents
        self._kind = kind
        self._most = most
        self._lifetime_s = lifetime_s

    async def take(self) -> str | None:
        """Take a free slot and return its name, None where there seems to be none."""
        for _ in range(_TRIES):
            name = f"slots/{self._kind}/{secrets.randbelow(self._most)}"
            if await self._documents.add(name, {}, lifetime_s=self._lifetime_s):
                return name
        return None

    async def free(self, name: str) -> None:
        """Free a slot before its time."""
        await self._documents.delete(name)
