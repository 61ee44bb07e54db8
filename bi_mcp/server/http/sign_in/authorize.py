"""The authorization endpoint. The SDK's takes repeated parameters, any challenge, any resource, and names no issuer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcp.shared.auth import InvalidScopeError

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.base.language import say
from bi_mcp.server.http.sign_in.forms import parse_fields, read_body
from bi_mcp.server.http.sign_in.html import build_problem, build_redirect
from bi_mcp.server.http.sign_in.redirects import (
    Kind,
    destination_of,
    find_registered,
    kind_of,
    with_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.server.http.sign_in.browser_session import BrowserSessions
    from bi_mcp.server.http.sign_in.client import Client
    from bi_mcp.server.http.sign_in.provider import Provider

LONGEST_STATE = 4096
# SHA-256 in base64 without padding (RFC 7636, 4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Refusal:
    """A refusal in the words of OAuth. `description` is for the client's developer, in ASCII."""

    error: str
    description: str


_BUSY = Refusal("temporarily_unavailable", "Too many sign-ins are under way. Try again in a few minutes.")


@dataclass(frozen=True, kw_only=True)
class AuthorizeEndpoint:
    """Begins a sign-in for a client's valid request, in the browser that brings it."""

    provider: Provider
    sessions: BrowserSessions
    issuer: str
    resource: str

    async def handle(self, request: Request) -> Response:
        """Answer with the way to the consent page, or to the client with an error, or with a page where no client can be told."""
        fields = await _fields_of(request)
        client = await self.provider.get_client(fields.get("client_id", ""))
        if client is None:
            return build_problem(
                say(
                    "This server does not know the program that sent you here. Remove the connection there and add it again."
                ),
                status=400,
            )
        address = self._address(client, fields.get("redirect_uri"))
        if address is None:
            return build_problem(
                say(
                    "The program wants its answer sent to an address that it did not register. Nothing was sent there. Update the program, or tell its maker."
                ),
                status=400,
            )
        refusal = next(_check(fields, self.resource), None)
        if refusal is not None:
            return self._turn_away(address, fields.get("state"), refusal)
        try:
            asked = self._asked(client, address, fields)
        except InvalidScopeError as error:
            return self._turn_away(address, fields.get("state"), Refusal("invalid_scope", error.message))
        page = await self.sessions.begin_attempt(request, asked=asked, verified_host=client.verified_host)
        return page or self._turn_away(address, asked.state, _BUSY)

    def _turn_away(self, address: str, state: str | None, refusal: Refusal) -> Response:
        """Tell the client at once only where it is a program that listens on the person's own computer.

        Anybody can register a web site, or a link that another program opens. A link to this server must not lead there
        before the person has seen where they go (RFC 9700, 4.11.2): browsers ask before they open a program, but not a
        second time for a server that the person once let open one.
        """
        if kind_of(address) is Kind.LOOPBACK:
            return self.refuse(address, state, refusal)
        return build_problem(
            say(
                "The program asked for something that this server cannot do ({reason}). Nobody was signed in.",
                reason=refusal.description,
            ),
            status=400,
            back=self.refusing(address, state, refusal),
            back_title=say("Back to {host}", host=destination_of(address)),
        )

    def refuse(self, address: str, state: str | None, refusal: Refusal) -> Response:
        """Tell the client that nobody signed in, and why."""
        return build_redirect(self.refusing(address, state, refusal))

    def refusing(self, address: str, state: str | None, refusal: Refusal) -> str:
        """The address that tells the client."""
        state = state if len(state or "") <= LONGEST_STATE else None
        return with_parameters(
            address, error=refusal.error, error_description=refusal.description, state=state, iss=self.issuer
        )

    def accept(self, asked: Asked, code: str) -> Response:
        """Bring the client its code."""
        address = with_parameters(asked.redirect_uri, code=code, state=asked.state, iss=self.issuer)
        return build_redirect(address)

    def _address(self, client: Client, asked: str | None) -> str | None:
        """Return where the answer goes, None for an address that is not the client's: also for one of this server itself."""
        only = client.addresses[0] if len(client.addresses) == 1 else ""
        address = only if asked is None else asked
        if find_registered(address, client.addresses) is None:
            return None
        return None if destination_of(address) == urlsplit(self.issuer).netloc else address

    def _asked(self, client: Client, address: str, fields: Mapping[str, str]) -> Asked:
        return Asked(
            client_id=client.client_id,
            client_name=client.shown_name,
            redirect_uri=address,
            redirect_uri_given="redirect_uri" in fields,
            state=fields.get("state"),
            code_challenge=fields["code_challenge"],
            scopes=tuple(client.validate_scope(fields.get("scope")) or ()),
            resource=self.resource,
        )


async def _fields_of(request: Request) -> dict[str, str]:
    """Read the parameters. Raises `FormError`, also for repeated ones (RFC 6749, 3.1)."""
    if request.method == "POST":
        return parse_fields(await read_body(request))
    return parse_fields(request.scope["query_string"])


def _check(fields: Mapping[str, str], resource: str) -> Iterator[Refusal]:
    kind = fields.get("response_type")
    if kind != "code":
        error = "unsupported_response_type" if kind else "invalid_request"
        yield Refusal(error, "response_type must be code.")
    for name in ("request", "request_uri"):
        if name in fields:
            yield Refusal(f"{name}_not_supported", "Send the parameters themselves.")
    if fields.get("response_mode", "query") != "query":
        yield Refusal("invalid_request", "response_mode must be query.")
    # Without a method it would be plain (RFC 7636, 4.3).
    by_hash = fields.get("code_challenge_method") == "S256"
    if not by_hash or not _CHALLENGE.fullmatch(fields.get("code_challenge", "")):
        yield Refusal(
            "invalid_request", "PKCE is required: a code_challenge with code_challenge_method S256."
        )
    if len(fields.get("state", "")) > LONGEST_STATE:
        yield Refusal("invalid_request", f"state is longer than {LONGEST_STATE} characters.")
    if not is_resource(fields.get("resource"), resource):
        yield Refusal("invalid_target", f"resource must be {resource}.")


def is_resource(named: str | None, resource: str) -> bool:
    """Return whether a request means this server: it names its address, or none. The host may be in any case."""
    if named is None:
        return True
    try:
        parts = urlsplit(named)
    except ValueError:
        return False
    own = urlsplit(resource)
    same_host = (parts.scheme, parts.netloc.lower()) == (own.scheme, own.netloc.lower())
    return same_host and parts.path.rstrip("/") == own.path and not (parts.query or parts.fragment)
