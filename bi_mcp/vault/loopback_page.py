"""A page on this machine for a browser on this machine, never cached and never framed.

Imported when a page is opened: uvicorn takes time to load.
"""

from __future__ import annotations

import logging
import socket
import sys
from contextlib import asynccontextmanager
from html import escape
from typing import TYPE_CHECKING

import anyio
import uvicorn
from starlette.responses import HTMLResponse
from starlette.routing import request_response

from bi_mcp.base.bounded_protocol import BoundedProtocol
from bi_mcp.base.language import spoken

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response
    from uvicorn.server import ServerState

HOST = "127.0.0.1"

_LONGEST_HEAD = 32_768
# For a browser that is still being answered when the page closes.
_GRACE_S = 1

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "connection": "close",
}
_quiet = logging.getLogger(f"{__name__}.quiet")
_quiet.setLevel(logging.CRITICAL)
_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#eef2f4;color:#333b44;"
    "font:16px/1.5 system-ui,sans-serif}main{max-width:30rem;margin:2rem;padding:2rem;background:#fff;border-radius:.75rem}"
    "input,button{font:inherit;padding:.5rem .75rem;width:100%;box-sizing:border-box;margin:.5rem 0}"
    "dt{color:#6a737f}dd{margin:0 0 .5rem;overflow-wrap:anywhere}"
)


class _PageProtocol(BoundedProtocol):
    """HTTP without a log: an address or a form may hold a secret. Other servers of the process keep theirs."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _quiet
        self.access_log = False


def build_page(status: int, title: str, content: str, *, referrer: str = "no-referrer") -> HTMLResponse:
    """Build an answer. `content` is HTML; text from outside must be escaped in it.

    A form may be sent to this machine's page only. For a browser to say whose form it was, `referrer` must be `same-origin`.
    """
    html = (
        f'<!doctype html><html lang="{spoken()}"><head><meta charset="utf-8"><title>bi-mcp</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    return HTMLResponse(html, status, {**_HEADERS, "referrer-policy": referrer})


def listen(port: int = 0) -> socket.socket:
    """Open a port on loopback, a free one by default. Raises `OSError`."""
    listener = socket.socket()
    option = socket.SO_REUSEADDR
    if sys.platform == "win32":
        # Otherwise another program could listen on the same port, and browsers might reach that one.
        option = socket.SO_EXCLUSIVEADDRUSE
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(
    answer: Callable[[Request], Awaitable[Response]], listener: socket.socket
) -> AsyncIterator[None]:
    """Answer browsers until the end of the block, then close the port.

    uvicorn handles no signals: the process does.
    """
    config = uvicorn.Config(
        request_response(answer),
        http=_PageProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # Given, so that uvicorn does not look for it in WEB_CONCURRENCY.
        workers=1,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=_GRACE_S,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup([listener])
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await server.shutdown([listener])
