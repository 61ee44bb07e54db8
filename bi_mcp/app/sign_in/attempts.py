"""The sign-ins under way: from a client's request, or a page of this server, to the portal and back."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bi_mcp.app.sign_in.documents import Documents

# From the consent page through a login at the portal, perhaps with a second factor.
LIFETIME_S = 15 * 60
MOST_UNDER_WAY = 10_000
# While strangers begin many, each step of a person may take so long.
FIRM_S = 5 * 60


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A sign-in under way, in one browser. `browser` is the SHA-256 of that browser's mark, hexadecimal.

    `asked` is what a client asked for; without it a person signs in to the pages of this server, and goes on to the path `back`.
    `verified_host` is the host that vouches for the client's name, None where nobody does.
    """

    id: str
    browser: str
    asked: Asked | None = None
    verified_host: str | None = None
    back: str = "/"
    slot: str = ""

    def began_in(self, browser: str) -> bool:
        """Return whether it began in the browser with this mark."""
        return hmac.compare_digest(self.browser, fingerprint_of(browser))


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A sign-in that went on to a portal: `portal` is its host, `scopes` are what the person chose to grant."""

    attempt: Attempt
    portal: str
    scopes: tuple[str, ...]


class Attempts:
    """The sign-ins under way. Each waits for a quarter of an hour, and their number is bounded."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._slots = Slots(documents, "attempt", most=MOST_UNDER_WAY, lifetime_s=LIFETIME_S, firm_s=FIRM_S)

    async def begin(
        self, browser: str, *, asked: Asked | None = None, verified_host: str | None = None, back: str = "/"
    ) -> Attempt | None:
        """Begin a sign-in in the browser with this mark. None where too many are under way."""
        id = secrets.token_urlsafe(24)
        slot = await self._slots.take(_attempt(id))
        if slot is None:
            return None
        attempt = Attempt(
            id=id,
            browser=fingerprint_of(browser),
            asked=asked,
            verified_host=verified_host,
            back=back,
            slot=slot,
        )
        await self._documents.put(_attempt(attempt.id), asdict(attempt), lifetime_s=LIFETIME_S)
        return attempt

    async def find(self, id: str) -> Attempt | None:
        """Return a sign-in that has not gone on to a portal yet."""
        document = await self._documents.get(_attempt(id))
        return None if document is None else _attempt_from(document)

    async def end(self, attempt: Attempt) -> bool:
        """End a sign-in. Of all who try at once, exactly one gets True."""
        if await self._documents.take(_attempt(attempt.id)) is None:
            return False
        await self._slots.free(attempt.slot)
        return True

    async def depart(self, attempt: Attempt, portal: str, scopes: tuple[str, ...]) -> str | None:
        """Let a sign-in go on to a portal, and return its `state`. None where it went before, or was ended."""
        if await self._documents.take(_attempt(attempt.id)) is None:
            return None
        state = secrets.token_urlsafe(32)
        departure = Departure(attempt=attempt, portal=portal, scopes=scopes)
        await self._documents.put(_departure(state), asdict(departure), lifetime_s=LIFETIME_S)
        await self._slots.pass_on(attempt.slot, _departure(state))
        return state

    async def departed(self, state: str) -> Departure | None:
        """Return the sign-in with this `state`, and leave it there: whoever brings the state must first prove to be its browser."""
        document = await self._documents.get(_departure(state))
        return None if document is None else _departure_from(document)

    async def arrive(self, departure: Departure, state: str) -> bool:
        """Use the `state` of a sign-in up. Of all who try at once, exactly one gets True."""
        if await self._documents.take(_departure(state)) is None:
            return False
        await self._slots.free(departure.attempt.slot)
        return True


def fingerprint_of(mark: str) -> str:
    """Return the SHA-256 of a mark, hexadecimal: the store never holds the mark itself."""
    return sha256(mark.encode(errors="surrogatepass")).hexdigest()


def _attempt(id: str) -> str:
    return f"attempts/{fingerprint_of(id)}"


def _departure(state: str) -> str:
    return f"departures/{fingerprint_of(state)}"


def _attempt_from(document: Mapping[str, Any]) -> Attempt:
    asked = document["asked"]
    restored = None if asked is None else Asked(**{**asked, "scopes": tuple(asked["scopes"])})
    return Attempt(**{**document, "asked": restored})


def _departure_from(document: Mapping[str, Any]) -> Departure:
    return Departure(
        attempt=_attempt_from(document["attempt"]),
        portal=document["portal"],
        scopes=tuple(document["scopes"]),
    )
