"""The clients that people connected: codes, access tokens, and refresh tokens that are used once.

All that a client holds is one document (`client_document.py`), from its code on: every step is one change of it, and to
disconnect the client is to delete it. So no token outlives it, and no step can be half done.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.client_document import ClientDocument, parse_client
from bi_mcp.app.sign_in.client_tokens import (
    ACCESS,
    CODE,
    ID,
    REFRESH,
    hash_token,
    is_token,
    make_access,
    make_code,
    make_family,
    make_id,
    make_refresh,
    tag_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.documents import Document, Documents
    from bi_mcp.auth.person import Person
    from bi_mcp.base.secret import Secret

CODE_LIFETIME_S = 60
ACCESS_LIFETIME_S = 15 * 60
# A client that is not used for so long is no longer connected.
REFRESH_LIFETIME_S = 60 * 24 * 3600

# Ids begin with the beginning of their person's mark, so that nobody else's clients are opened to find a person's.
_CLIENTS = "clients/"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ConnectedClient:
    """A client that a person connected. `scopes` are what the person granted, or of an access token what it grants.

    `connected_at` and `used_at` (its last renewal) are unix seconds.
    """

    id: str
    person: Person
    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    resource: str
    connected_at: float
    used_at: float


@dataclass(frozen=True, kw_only=True)
class IssuedCode:
    """An authorization code that was not used yet. `expires_at` is unix seconds."""

    asked: Asked
    person: Person
    scopes: tuple[str, ...]
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class IssuedTokens:
    """An access token and the refresh token that replaces both once."""

    access: Secret
    refresh: Secret
    scopes: tuple[str, ...]
    lifetime_s: int = ACCESS_LIFETIME_S


class ConnectedClients:
    """Connects clients, and says to whom their tokens belong.

    A code or refresh token that comes a second time was stolen, or its thief was faster: the client is disconnected, with
    all its tokens (`None` is returned, as for one that is unknown). `left` is told the person of each client that was
    disconnected, `joined` of each that is about to use its code.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        clock: Callable[[], float] = time.time,
        joined: Callable[[Person], Awaitable[object]] | None = None,
        left: Callable[[Person], Awaitable[object]] | None = None,
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._joined = joined
        self._left = left

    async def issue_code(self, person: Person, asked: Asked, scopes: Sequence[str]) -> Secret:
        """Issue the code that the client exchanges within a minute."""
        id = make_id(person)
        code = make_code(id)
        kept = ClientDocument(
            person=person,
            asked=asked,
            scopes=tuple(scopes),
            code=hash_token(code.reveal()),
            expires_at=self._clock() + CODE_LIFETIME_S,
        )
        await self._documents.put(_CLIENTS + id, kept.to_json(), lifetime_s=CODE_LIFETIME_S)
        return code

    async def find_code(self, code: str) -> IssuedCode | None:
        """Return what a code was issued for, without using it up. One that was used before disconnects the client."""
        presented = CODE.fullmatch(code)
        kept = None if presented is None else await self._find(presented["id"])
        if presented is None or kept is None or not is_token(code, kept.code):
            return None
        if kept.is_connected:
            await self._end_reused(presented["id"], kept)
            return None
        return IssuedCode(
            asked=kept.asked, person=kept.person, scopes=kept.scopes, expires_at=kept.expires_at
        )

    async def redeem(self, code: str) -> IssuedTokens | None:
        """Use a code up. Of all who try at once, exactly one gets tokens; a second use disconnects the client."""
        presented = CODE.fullmatch(code)
        if presented is None:
            return None
        family = make_family()

        def use(kept: ClientDocument) -> IssuedTokens | None:
            return _make_tokens(presented["id"], family, kept.scopes) if kept.awaits(code) else None

        kept = await self._find(presented["id"])
        if self._joined is not None and kept is not None and kept.awaits(code):
            # What fails afterwards would cost the code.
            await self._joined(kept.person)

        issued = await self._use(presented["id"], family, use)
        if issued is None:
            await self.find_code(code)
        return issued

    async def find_refresh(self, token: str) -> ConnectedClient | None:
        """Return whose refresh token it is, without using it up. One that was used before disconnects the client."""
        presented = REFRESH.fullmatch(token)
        kept = None if presented is None else await self._find(presented["id"])
        if presented is None or kept is None or not is_token(presented["family"], kept.family):
            return None
        if not is_token(token, kept.refresh):
            await self._end_reused(presented["id"], kept)
            return None
        return _describe(presented["id"], kept, kept.scopes)

    async def refresh(self, token: str, scopes: Sequence[str]) -> IssuedTokens | None:
        """Use a refresh token up. `scopes` are among the granted ones. A second use disconnects the client."""
        presented = REFRESH.fullmatch(token)
        if presented is None:
            return None
        family = presented["family"]

        def use(kept: ClientDocument) -> IssuedTokens | None:
            wanted = tuple(scope for scope in kept.scopes if scope in scopes)
            return _make_tokens(presented["id"], family, wanted) if is_token(token, kept.refresh) else None

        issued = await self._use(presented["id"], family, use)
        if issued is None:
            await self.find_refresh(token)
        return issued

    async def find_access(self, token: str) -> ConnectedClient | None:
        """Return whose access token it is, None for one that is unknown, expired or was withdrawn."""
        presented = ACCESS.fullmatch(token)
        kept = None if presented is None else await self._find(presented["id"])
        if presented is None or kept is None or not is_token(token, kept.access):
            return None
        if self._clock() >= kept.access_until:
            return None
        return _describe(presented["id"], kept, kept.access_scopes)

    async def is_connected(self, id: str) -> bool:
        """Return whether the client of this id is still connected."""
        kept = await self._find(id)
        return kept is not None and kept.is_connected

    async def of(self, person: Person) -> list[ConnectedClient]:
        """Return the clients of a person, the newest first."""
        return _list(await self._kept_of(person))

    async def everybodys(self) -> list[ConnectedClient]:
        """Return the clients of all people, the newest first."""
        return _list(await self._kept(""))

    async def people(self) -> list[Person]:
        """Return the people who have connected clients."""
        return list({client.person.mark: client.person for client in await self.everybodys()}.values())

    async def has_left(self, person: Person) -> bool:
        """Return whether a person has neither a client nor a code for one."""
        return not await self._kept_of(person)

    async def disconnect(self, person: Person, id: str) -> bool:
        """Withdraw all tokens of a client of this person at once. False if the person has none of that id."""
        if not ID.fullmatch(id):
            return False
        kept = await self._find(id)
        if kept is None or kept.person.mark != person.mark:
            return False
        return await self._end(id, kept)

    async def disconnect_all(self, person: Person) -> int:
        """Withdraw the tokens of all clients of a person, and codes for new ones. Returns how many clients there were."""
        count = 0
        for id, kept in (await self._kept_of(person)).items():
            if await self._end(id, kept):
                count += kept.is_connected
        return count

    async def _find(self, id: str) -> ClientDocument | None:
        document = await self._documents.get(_CLIENTS + id)
        kept = None if document is None else parse_client(document)
        return None if kept is None or self._clock() >= kept.expires_at else kept

    async def _kept(self, tag: str) -> dict[str, ClientDocument]:
        """What is kept of the clients whose ids begin so, also of those that have only a code."""
        ids = [name.removeprefix(_CLIENTS) for name in await self._documents.names(_CLIENTS + tag)]
        found = {id: await self._find(id) for id in ids}
        return {id: kept for id, kept in found.items() if kept is not None}

    async def _kept_of(self, person: Person) -> dict[str, ClientDocument]:
        # Marks of two people may begin alike.
        found = await self._kept(tag_of(person))
        return {id: kept for id, kept in found.items() if kept.person.mark == person.mark}

    async def _use(
        self, id: str, family: str, use: Callable[[ClientDocument], IssuedTokens | None]
    ) -> IssuedTokens | None:
        """Give a client the tokens that `use` makes, in one step with the look at what it has."""
        made: IssuedTokens | None = None

        def change(document: Document) -> Document | None:
            nonlocal made
            kept, now = parse_client(document), self._clock()
            made = None if now >= kept.expires_at else use(kept)
            if made is None:
                return None
            return kept.with_tokens(made, family, now=now, lifetime_s=REFRESH_LIFETIME_S).to_json()

        changed = await self._documents.change(_CLIENTS + id, change, lifetime_s=REFRESH_LIFETIME_S)
        return None if changed is None else made

    async def _end_reused(self, id: str, kept: ClientDocument) -> None:
        logger.warning("Client %s was disconnected: its code or refresh token was used a second time.", id)
        await self._end(id, kept)

    async def _end(self, id: str, kept: ClientDocument) -> bool:
        ended = await self._documents.take(_CLIENTS + id) is not None
        if self._left is not None:
            await self._left(kept.person)
        return ended


def _make_tokens(id: str, family: str, scopes: tuple[str, ...]) -> IssuedTokens:
    return IssuedTokens(access=make_access(id), refresh=make_refresh(id, family), scopes=scopes)


def _list(found: Mapping[str, ClientDocument]) -> list[ConnectedClient]:
    connected = [_describe(id, kept, kept.scopes) for id, kept in found.items() if kept.is_connected]
    return sorted(connected, key=lambda client: client.connected_at, reverse=True)


def _describe(id: str, kept: ClientDocument, scopes: tuple[str, ...]) -> ConnectedClient:
    return ConnectedClient(
        id=id,
        person=kept.person,
        client_id=kept.asked.client_id,
        client_name=kept.asked.client_name,
        scopes=scopes,
        resource=kept.asked.resource,
        connected_at=kept.connected_at,
        used_at=kept.used_at,
    )
