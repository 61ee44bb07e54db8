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
# While strangers register many, a new client is left so long to sign somebody in.
FIRM_S = 10 * 60
_RENEWED_AFTER_S = 24 * 3600
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RegisteredClients:
    """Registered clients by their ids. One that nobody signed in with is soon forgotten, and there are never many of these."""

    def __init__(self, documents: Documents, *, clock: Callable[[], float] = time.time) -> None:
        self._documents = documents
        self._clock = clock
        self._unused = Slots(
            documents,
            "registered-client",
            most=MOST_UNUSED,
            lifetime_s=UNUSED_LIFETIME_S,
            firm_s=FIRM_S,
            clock=clock,
        )

    async def register(self, client_id: str, registration: Mapping[str, Any]) -> bool:
        """Keep a registration, as JSON. False where too many clients are registered that nobody signed in with."""
        slot = await self._unused.take(_unused(client_id))
        if slot is None:
            return False
        document = {"registration": dict(registration), "slot": slot}
        await self._documents.put(_unused(client_id), document, lifetime_s=UNUSED_LIFETIME_S)
        return True

    async def find(self, client_id: str) -> Mapping[str, Any] | None:
        """Return a registration, None for a client that is unknown."""
        if not _ID.fullmatch(client_id):
            return None
        document = await self._documents.get(_used(client_id)) or await self._documents.get(
            _unused(client_id)
        )
        return None if document is None else document["registration"]

    async def mark_used(self, client_id: str) -> None:
        """Note that somebody signed in with a client or still uses it: it stays registered for longer."""
        if not _ID.fullmatch(client_id):
            return
        used = await self._documents.get(_used(client_id))
        if used is not None:
            if used["used_at"] <= self._clock() - _RENEWED_AFTER_S:
                await self._keep(client_id, used["registration"])
            return
        unused = await self._documents.get(_unused(client_id))
        if unused is not None:
            # In this order, so that the client is known at every moment.
            await self._keep(client_id, unused["registration"])
            await self._documents.delete(_unused(client_id))
            await self._unused.free(unused["slot"])

    async def _keep(self, client_id: str, registration: Mapping[str, Any]) -> None:
        document = {"registration": registration, "used_at": self._clock()}
        await self._documents.put(_used(client_id), document, lifetime_s=USED_LIFETIME_S)


# Under a name of its own, so that a client that is used never gives way to those of strangers.
def _used(client_id: str) -> str:
    return f"registered-clients/used/{client_id}"


def _unused(client_id: str) -> str:
    return f"registered-clients/unused/{client_id}"
