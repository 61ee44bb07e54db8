"""The authorization server behind the SDK's endpoints: what a client is, and what its codes and tokens are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mcp.server.auth.provider import (
    AuthorizationCode,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RegistrationError,
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from bi_mcp.server.http.sign_in.client import Client
from bi_mcp.server.http.sign_in.redirects import kind_of
from bi_mcp.server.http.sign_in.tokens import RenewalToken, SignedInToken, describe_access

if TYPE_CHECKING:
    from mcp.server.auth.provider import AuthorizationParams

    from bi_mcp.app.sign_in.asked import Asked
    from bi_mcp.app.sign_in.connected_clients import ConnectedClient, IssuedTokens
    from bi_mcp.app.sign_in.registered_clients import RegisteredClients
    from bi_mcp.app.sign_in.sign_ins import SignIns

MOST_ADDRESSES = 16
_LONGEST_ID = 2048


class Documented(Protocol):
    """Finds the clients whose ids are addresses of documents that describe them."""

    async def find(self, client_id: str) -> OAuthClientInformationFull | None:
        """Return what the document says, None where there is none or it is not valid.

        Raises `AuthorisationError` where it cannot be fetched now.
        """
        ...

    async def mark_used(self, client_id: str) -> None:
        """Note that somebody is connected with the client."""
        ...


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RenewalToken, SignedInToken]):
    """The SDK's interface over what this server keeps of people and clients.

    `authorize` is not among it: our endpoint begins a sign-in itself, since it must know the browser.
    """

    def __init__(
        self,
        sign_ins: SignIns,
        registered: RegisteredClients,
        documented: Documented,
        *,
        issuer: str,
        resource: str,
    ) -> None:
        self._sign_ins = sign_ins
        self._registered = registered
        self._documented = documented
        self._issuer = issuer
        # Several servers may keep what they issue in one store.
        self._resource = resource

    async def get_client(self, client_id: str) -> Client | None:
        """Return a known client, None for any other."""
        if len(client_id) > _LONGEST_ID:
            return None
        if client_id.startswith("https://"):
            described = await self._documented.find(client_id)
            return None if described is None else Client.of(described)
        registration = await self._registered.find(client_id)
        return None if registration is None else Client.model_validate(registration)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Register a client. Raises `RegistrationError` for addresses that no client may use."""
        _check_addresses([str(address) for address in client_info.redirect_uris or []])
        document = client_info.model_dump(mode="json", exclude_none=True)
        if not await self._registered.register(client_info.client_id, document):
            raise RegistrationError(
                "invalid_client_metadata",
                "Too many clients are registered that nobody has signed in with. Try again later.",
            )

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:  # noqa: ARG002  the SDK's interface
        """Refuse: nobody is signed in without a browser. See `authorize.py`."""
        raise AuthorizeError("server_error", "Sign-ins begin in a browser.")

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        """Return what a code was issued for. One that was used before disconnects the client it was issued to."""
        issued = await self._sign_ins.clients.find_code(authorization_code)
        if issued is None or not self._is_ours(client, issued.asked):
            return None
        asked = issued.asked
        return AuthorizationCode(
            code=authorization_code,
            scopes=list(issued.scopes),
            expires_at=issued.expires_at,
            client_id=asked.client_id,
            code_challenge=asked.code_challenge,
            redirect_uri=AnyUrl(asked.redirect_uri),
            redirect_uri_provided_explicitly=asked.redirect_uri_given,
            resource=asked.resource,
            subject=issued.person.mark,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        """Use a code up. Raises `TokenError` where somebody was faster."""
        # Before the code is used up: a store that fails afterwards would cost it.
        await self._mark_used(client.client_id)
        tokens = await self._sign_ins.clients.redeem(authorization_code.code)
        if tokens is None:
            raise TokenError("invalid_grant", "The code was used before. The client is disconnected.")
        return _answer(tokens)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RenewalToken | None:
        """Return what a refresh token is worth. One that was used before disconnects the client.

        A person whom the operator no longer lets in is signed out.
        """
        found = await self._sign_ins.clients.find_refresh(refresh_token)
        if found is None or not self._is_ours(client, found):
            return None
        if self._sign_ins.find_portal(found.person) is None:
            await self._sign_ins.sign_out(found.person)
            return None
        return RenewalToken(
            token=refresh_token,
            client_id=found.client_id,
            scopes=list(found.scopes),
            resource=found.resource,
            subject=found.person.mark,
            person=found.person,
            connected=found.id,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RenewalToken, scopes: list[str]
    ) -> OAuthToken:
        """Use a refresh token up. Raises `TokenError` where somebody was faster."""
        # As above: the client would bring the used token again, and be disconnected.
        await self._mark_used(client.client_id)
        tokens = await self._sign_ins.clients.refresh(refresh_token.token, scopes)
        if tokens is None:
            raise TokenError(
                "invalid_grant", "The refresh token was used before. The client is disconnected."
            )
        return _answer(tokens)

    async def load_access_token(self, token: str) -> SignedInToken | None:
        """Return what an access token allows."""
        found = await self._sign_ins.clients.find_access(token)
        return None if found is None else describe_access(found, self._issuer)

    async def revoke_token(self, token: SignedInToken | RenewalToken) -> None:
        """Disconnect the client that has this token: all its tokens end."""
        await self._sign_ins.clients.disconnect(token.person, token.connected)

    async def _mark_used(self, client_id: str) -> None:
        clients = self._documented if client_id.startswith("https://") else self._registered
        await clients.mark_used(client_id)

    def _is_ours(self, client: OAuthClientInformationFull, issued: Asked | ConnectedClient) -> bool:
        return (issued.client_id, issued.resource) == (client.client_id, self._resource)


def _check_addresses(addresses: list[str]) -> None:
    if len(addresses) > MOST_ADDRESSES:
        raise RegistrationError(
            "invalid_redirect_uri", f"At most {MOST_ADDRESSES} redirect_uris can be registered."
        )
    for address in addresses:
        if kind_of(address) is None:
            raise RegistrationError(
                "invalid_redirect_uri",
                "A redirect_uri must be https, http on loopback, or of a private scheme, without login and fragment.",
            )


def _answer(tokens: IssuedTokens) -> OAuthToken:
    return OAuthToken(
        access_token=tokens.access.reveal(),
        expires_in=tokens.lifetime_s,
        scope=" ".join(tokens.scopes),
        refresh_token=tokens.refresh.reveal(),
    )
