"""Refusal of requests that a proxy in front of the server may have read otherwise: with two credentials, or two lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_TWICE = {
    "error": "invalid_request",
    "error_description": "The request has more than one Authorization header. Send one.",
}
_LENGTHS = {
    "error": "invalid_request",
    "error_description": "The request has both Content-Length and Transfer-Encoding. Send one.",
}


class OneLength:
    """The app for requests whose end everybody finds at the same place (RFC 9112, 6.3): the rest may be another request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        names = {name for name, _ in scope["headers"]} if scope["type"] == "http" else set()
        if names >= {b"content-length", b"transfer-encoding"}:
            headers = {"Cache-Control": "no-store", "Connection": "close"}
            await JSONResponse(_LENGTHS, 400, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class OneCredential:
    """The app for requests with at most one `Authorization` header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        names = [name for name, _ in scope["headers"]] if scope["type"] == "http" else []
        if names.count(b"authorization") > 1:
            await JSONResponse(_TWICE, 400, {"Cache-Control": "no-store"})(scope, receive, send)
            return
        await self._app(scope, receive, send)
