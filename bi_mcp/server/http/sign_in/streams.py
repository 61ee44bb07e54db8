"""The end of endless streams whose client was disconnected: each began with a token that was valid then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bi_mcp.errors import AuthorisationError
from bi_mcp.server.http.drain import is_endless, serve_until
from bi_mcp.server.http.sign_in.tokens import SignedInToken

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bi_mcp.app.sign_in.connected_clients import ConnectedClients

LOOK_EVERY_S = 30.0


class StreamsOfClients:
    """The app behind a verified token, with streams that end soon after their client was disconnected."""

    def __init__(self, app: ASGIApp, clients: ConnectedClients) -> None:
        self._app = app
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        token = getattr(scope.get("user"), "access_token", None)
        if not (isinstance(token, SignedInToken) and is_endless(scope)):
            await self._app(scope, receive, send)
            return
        id = token.connected

        async def disconnected() -> None:
            while await self._is_connected(id):  # noqa: ASYNC110  another replica may have disconnected it
                await anyio.sleep(LOOK_EVERY_S)

        await serve_until(disconnected, self._app, scope, receive, send)

    async def _is_connected(self, id: str) -> bool:
        try:
            return await self._clients.is_connected(id)
        except AuthorisationError:
            # The store does not answer; the client is asked about again.
            return True
