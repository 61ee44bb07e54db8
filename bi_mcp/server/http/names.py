"""The names by which the server may be called, and the pages that may call it. The SDK's own check takes
`127.0.0.1:1.evil` for a port, and any page on this machine for its own.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from bi_mcp.server.http.options import PATH, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bi_mcp.server.http.options import HttpOptions

_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_LONGEST_LOGGED = 100

logger = logging.getLogger(__name__)


class KnownNames:
    """The app for requests that name this server in Host, from pages that it serves or that the user allowed."""

    def __init__(self, app: ASGIApp, options: HttpOptions) -> None:
        self._app = app
        self._hosts = frozenset(options.host_names)
        self._origins = frozenset(map(normal_origin, options.allowed_origins))
        self._scheme = "https" if options.uses_tls or options.behind_proxy else "http"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", "").lower(), headers.get("origin")
        if not self._is_ours(host):
            logger.warning("Host header refused: %r. Allow it with --allow-host.", host[:_LONGEST_LOGGED])
            await PlainTextResponse("Invalid Host header", 421)(scope, receive, send)
            return
        if origin is not None and not self._may_call(origin, host):
            logger.warning(
                "page refused by its Origin: %r. Allow it with --allow-origin.", origin[:_LONGEST_LOGGED]
            )
            await PlainTextResponse("Invalid Origin header", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        """Return whether a Host header names this server. A name that was allowed without a port is valid with any port."""
        found = _AUTHORITY.fullmatch(host)
        return found is not None and (host in self._hosts or found["name"] in self._hosts)

    def _may_call(self, origin: str, host: str) -> bool:
        """Return whether a page may call. On loopback each port belongs to another program; elsewhere a name has one owner."""
        origin = normal_origin(origin)
        if origin in self._origins:
            return True
        scheme, _, authority = origin.partition("://")
        if scheme != self._scheme or not self._is_ours(authority):
            return False
        return authority == host or not is_loopback(urlsplit(origin).hostname or "")


def normal_origin(origin: str) -> str:
    """An origin as browsers send it: in lower case, without a slash at its end or the scheme's own port."""
    origin = origin.lower().rstrip("/")
    for scheme, port in (("http", ":80"), ("https", ":443")):
        if origin.startswith(f"{scheme}://"):
            return origin.removesuffix(port)
    return origin


class BothForms:
    """The app whose path may end with a slash: a redirect would name http where a proxy ends TLS, and lose the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == f"{PATH}/":
            scope = {**scope, "path": PATH, "raw_path": PATH.encode()}
        await self._app(scope, receive, send)
