"""The tokens of people who signed in here, as the SDK knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.auth.provider import AccessToken, RefreshToken
from starlette.authentication import AuthenticationError

from bi_mcp.auth.person import Person
from bi_mcp.base.secret import MASK
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from bi_mcp.app.sign_in.connected_clients import ConnectedClient, ConnectedClients


class SignedInToken(AccessToken):
    """An access token of a person who signed in. `connected` is the id of the client that they connected."""

    person: Person
    client_name: str
    connected: str


class RenewalToken(RefreshToken):
    """A refresh token of a client that a person connected."""

    person: Person
    connected: str


class SignedInTokens:
    """Finds out whose an access token is."""

    def __init__(self, clients: ConnectedClients, issuer: str) -> None:
        self._clients = clients
        self._issuer = issuer

    async def verify_token(self, token: str) -> SignedInToken | None:
        """Return what the token allows to whom, None where it is not valid here.

        Raises Starlette's `AuthenticationError` while the store does not answer: the token may well be valid.
        """
        try:
            found = await self._clients.find_access(token)
        except AuthorisationError as error:
            raise AuthenticationError(error.code) from None
        return None if found is None else describe_access(found, self._issuer)


def describe_access(client: ConnectedClient, issuer: str) -> SignedInToken:
    """Describe the access token of a connected client, without the token itself."""
    return SignedInToken(
        token=MASK,
        client_id=client.client_id,
        scopes=list(client.scopes),
        resource=client.resource,
        subject=client.person.mark,
        claims={"iss": issuer},
        person=client.person,
        client_name=client.client_name,
        connected=client.id,
    )
