"""The clients that people connected: codes, access tokens, and refresh tokens that are used once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.auth.person import Person
    from bi_mcp.base.secret import Secret

CODE_LIFETIME_S = 60
ACCESS_LIFETIME_S = 15 * 60
# A client that is not used for so long is no longer connected.
REFRESH_LIFETIME_S = 60 * 24 * 3600


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
    all its tokens (`None` is returned, as for one that is unknown).
    """

    def __init__(self, documents: Documents, *, clock: Callable[[], float] = time.time) -> None:
        self._documents = documents
        self._clock = clock

    async def issue_code(self, person: Person, asked: Asked, scopes: Sequence[str]) -> Secret:
        """Issue the code that the client exchanges within a minute."""
        raise NotImplementedError

    async def find_code(self, code: str) -> IssuedCode | None:
        """Return what a code was issued for, without using it up."""
        raise NotImplementedError

    async def redeem(self, code: str) -> IssuedTokens | None:
        """Use a code up. Of all who try at once, exactly one gets tokens; a second use disconnects the client."""
        raise NotImplementedError

    async def find_refresh(self, token: str) -> ConnectedClient | None:
        """Return whose refresh token it is, without using it up. One that was used before disconnects the client."""
        raise NotImplementedError

    async def refresh(self, token: str, scopes: Sequence[str]) -> IssuedTokens | None:
        """Use a refresh token up. `scopes` are among the granted ones. A second use disconnects the client."""
        raise NotImplementedError

    async def find_access(self, token: str) -> ConnectedClient | None:
        """Return whose access token it is, None for one that is unknown, expired or was withdrawn."""
        raise NotImplementedError

    async def of(self, person: Person) -> list[ConnectedClient]:
        """Return the clients of a person, the newest first."""
        raise NotImplementedError

    async def people(self) -> list[Person]:
        """Return the people who have connected clients."""
        raise NotImplementedError

    async def disconnect(self, person: Person, id: str) -> bool:
        """Withdraw all tokens of a client of this person at once. False if the person has none of that id."""
        raise NotImplementedError

    async def disconnect_all(self, person: Person) -> int:
        """Withdraw the tokens of all clients of a person. Returns how many there were."""
        raise NotImplementedError
