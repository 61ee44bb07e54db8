"""What a client asked for at the authorization endpoint. Data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A valid request of a client. `redirect_uri` is where the answer goes, `redirect_uri_given` says that the request named it.

    `scopes` are those asked for, `resource` is this server's address, `code_challenge` is PKCE's, by S256.
    """

    client_id: str
    client_name: str
    redirect_uri: str
    redirect_uri_given: bool
    state: str | None
    code_challenge: str
    scopes: tuple[str, ...]
    resource: str
