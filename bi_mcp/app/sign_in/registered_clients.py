"""The clients that registered themselves (RFC 7591), which anybody may do."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from bi_mcp.app.sign_in.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bi_mcp.app.sign_in.documents import Documents

# A client signs somebody in soon after it registered, or never.
UNUSED_LIFETIME_S = 24 * 3600
# Longer than a refresh token lives, so that a client is known as long as it is connected.
USED_LIFETIME_S = 90 * 24 * 3600
MOST_UNUSED = 2000
_RENEWED_AFTER_S = 24 * 3600
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RegisteredClients:
    """Registered clients by their ids. One that nobody signed in with is soon forgotten, and there are never many of these."""

    def __init__(self, documents: Documents, *, clock: Callable[[], float] = time.time) -> None:
        self._documents = documents
        self._clock = clock
        self._unused = Slots(documents, "registered-client", most=MOST_UNUSED, lifetime_s=UNUSED_LIFETIME_S)

    async def register(self, client_id: str, registration: Mapping[str, Any]) -> bool:
        """Keep a registration, as JSON. False where too many clients are registered that nobody signed in with."""
        slot = await self._unused.take()
        if slot is None:
            return False
        document = {"registration": dict(registration), "slot": slot}
        await self._documents.put(_name(client_id), document, lifetime_s=UNUSED_LIFETIME_S)
        return True

    async def find(self, client_id: str) -> Mapping[str, Any] | None:
        """Return a registration, None for a client that is unknown."""
        document = await self._get(client_id)
        return None if document is None else document["registration"]

    async def mark_used(self, client_id: str) -> None:
        """Note that somebody signed in with a client or still uses it: it stays registered for longer."""
        document = await self._get(client_id)
        if document is None or document.get("used_at", 0.0) > self._clock() - _RENEWED_AFTER_S:
            return
        used = {"registration": document["registration"], "used_at": self._clock()}
        await self._documents.put(_name(client_id), used, lifetime_s=USED_LIFETIME_S)
        if "slot" in document:
            await self._unused.free(document["slot"])

    async def _get(self, client_id: str) -> Mapping[str, Any] | None:
        return await self._documents.get(_name(client_id)) if _ID.fullmatch(client_id) else None


def _name(client_id: str) -> str:
    return f"registered-clients/{client_id}"
