"""A bound for the sessions of the older protocols that one person has open: the SDK keeps 10,000 in all, each for half an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.types import INVALID_REQUEST
from starlette.datastructures import Headers
from starlette.responses import Response

from bi_mcp.server.http.sign_in.tokens import SignedInToken
from bi_mcp.server.refusals import refusal_of_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from starlette.types import ASGIApp, Receive, Scope, Send

    Owners = Mapping[str, AuthorizationContext]

MOST_SESSIONS_PER_PERSON = 200
_WITHOUT_SESSIONS = "2026-07-28"


class SessionsOfPeople:
    """The app behind a verified token, with so many sessions for each person. `owners` are those of all open ones, by session."""

    def __init__(self, app: ASGIApp, owners: Owners) -> None:
        self._app = app
        self._owners = owners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        token = getattr(scope.get("user"), "access_token", None)
        if isinstance(token, SignedInToken) and _opens_session(scope):
            own = sum(owner["subject"] == token.subject for owner in self._owners.values())
            if own >= MOST_SESSIONS_PER_PERSON:
                await _refuse(own)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _opens_session(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    older = headers.get("mcp-protocol-version", "") < _WITHOUT_SESSIONS
    return older and "mcp-session-id" not in headers


def _refuse(own: int) -> Response:
    text = f"You have {own} sessions open; close some, or try again in half an hour."
    body = refusal_of_request(None, INVALID_REQUEST, text).model_dump_json(exclude_unset=True)
    return Response(body, 429, {"Cache-Control": "no-store"}, "application/json")
