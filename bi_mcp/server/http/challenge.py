"""The door for requests with a token, and what it says to all others. The SDK's names no scopes, which clients then have to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.responses import JSONResponse

from bi_mcp.server.http.access import READ, SCOPES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class TokenNeeded:
    """The app for requests whose token grants `bi:read`. `metadata` is where clients learn whom to ask for one, None with a fixed token."""

    def __init__(self, app: ASGIApp, metadata: str | None) -> None:
        self._app = app
        self._metadata = metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        user = scope.get("user")
        if not isinstance(user, AuthenticatedUser):
            # All scopes: which of them it gets, the person says.
            answer = self._refuse(401, "invalid_token", "Authentication required", SCOPES)
        elif READ not in user.scopes:
            answer = self._refuse(403, "insufficient_scope", f"Required scope: {READ}", (READ,))
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)

    def _refuse(self, status: int, error: str, description: str, scopes: tuple[str, ...]) -> JSONResponse:
        told = {"error": error, "error_description": description}
        asked = {"scope": " ".join(scopes), "resource_metadata": self._metadata} if self._metadata else {}
        challenge = ", ".join(f'{name}="{value}"' for name, value in {**told, **asked}.items())
        headers = {"WWW-Authenticate": f"Bearer {challenge}", "Cache-Control": "no-store"}
        return JSONResponse(told, status, headers)
