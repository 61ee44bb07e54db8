"""The document of a connected client: the person, what the client asked for, and its tokens as their SHA-256. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.client_tokens import hash_token, is_token
from bi_mcp.auth.person import Person

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.connected_clients import IssuedTokens
    from bi_mcp.app.sign_in.documents import Document


@dataclass(frozen=True, kw_only=True)
class ClientDocument:
    """All that is kept of a client. Before its code is used, `expires_at` is the code's, and there are no tokens yet.

    `code`, `family`, `refresh` and `access` are SHA-256, hexadecimal. `access_until` is unix seconds.
    """

    person: Person
    asked: Asked
    scopes: tuple[str, ...]
    code: str
    expires_at: float
    family: str = ""
    refresh: str = ""
    access: str = ""
    access_scopes: tuple[str, ...] = ()
    access_until: float = 0.0
    connected_at: float = 0.0
    used_at: float = 0.0

    @property
    def is_connected(self) -> bool:
        """True once the code was used."""
        return bool(self.refresh)

    def awaits(self, code: str) -> bool:
        """Return whether this is the code, and was not used."""
        return not self.is_connected and is_token(code, self.code)

    def with_tokens(
        self, issued: IssuedTokens, family: str, *, now: float, lifetime_s: float
    ) -> ClientDocument:
        """Put these tokens in the place of those before them. The client lives so long without another renewal."""
        return replace(
            self,
            expires_at=now + lifetime_s,
            family=hash_token(family),
            refresh=hash_token(issued.refresh.reveal()),
            access=hash_token(issued.access.reveal()),
            access_scopes=issued.scopes,
            access_until=now + issued.lifetime_s,
            connected_at=self.connected_at if self.is_connected else now,
            used_at=now,
        )

    def to_json(self) -> Document:
        """Return the stored form."""
        return asdict(self)


def parse_client(document: Document) -> ClientDocument:
    """Read the document of a client."""
    lists = {name: tuple(document[name]) for name in ("scopes", "access_scopes")}
    asked = Asked(**{**document["asked"], "scopes": tuple(document["asked"]["scopes"])})
    return ClientDocument(**{**document, **lists, "person": Person(**document["person"]), "asked": asked})
