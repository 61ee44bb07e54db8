"""Whom a message comes from: a person who signed in, a foreign issuer's subject, or whoever has the fixed token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mcp.server.auth.middleware.auth_context import get_access_token

from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from bi_mcp.app.apps import Apps


@runtime_checkable
class PersonsToken(Protocol):
    """An access token of a person who signed in here. `client_name` is the name that the client registered with."""

    person: Person
    client_name: str


@dataclass(frozen=True)
class KnownCallers:
    """Middleware of the server: every message is served on behalf of its caller, with the caller's app."""

    apps: Apps

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Serve a message. The SDK runs it in the context of its HTTP request, also within a session."""
        token = get_access_token()
        if token is None:
            # Nobody is known: of one over standard input and output, or of a server that demands no token.
            return await call_next(ctx)
        with called_by(caller_of(token)), self.apps.held():
            return await call_next(ctx)


def caller_of(token: AccessToken) -> Caller:
    """Return whom a token belongs to."""
    if isinstance(token, PersonsToken):
        return Caller(client=token.client_name, person=token.person)
    return Caller(client=token.client_id, subject=token.subject)
