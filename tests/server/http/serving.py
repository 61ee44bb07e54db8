"""A hosted server on a real socket of this process, and clients that bring a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT, MessageHandlerFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer

from bi_mcp.app.replicas.shared import Shared
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import open_http_app
from tests.practice.portal.serving import served
from tests.server.conftest import Era

LIMIT_S = 60
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def build(_shared: Shared | None = None, _sign_ins: SignIns | None = None) -> MCPServer:
    """The server on the practice portal in memory."""
    return build_server(Settings())


@asynccontextmanager
async def hosted(options: HttpOptions, *, server: MCPServer | None = None) -> AsyncIterator[str]:
    """Serve and give the `host:port`."""
    certificate = (str(options.tls_certificate), str(options.tls_key)) if options.tls_certificate else None
    async with open_http_app((lambda _shared, _sign_ins: server) if server else build, options) as app:
        inner = app._app
        async with inner.router.lifespan_context(inner), served(app, certificate=certificate) as address:
            yield address
            app.begin()


@asynccontextmanager
async def client(
    address: str,
    token: str | None = None,
    era: Era = "auto",
    http: httpx2.AsyncClient | None = None,
    scheme: str = "http",
    elicitation_callback: ElicitationFnT | None = None,
    message_handler: MessageHandlerFnT | None = None,
) -> AsyncIterator[Client]:
    """An MCP client of `SCHEME://ADDRESS/mcp`."""
    async with http or http_client(address, token) as own:
        transport = streamable_http_client(f"{scheme}://{address}/mcp", http_client=own)
        async with Client(
            transport, mode=era, elicitation_callback=elicitation_callback, message_handler=message_handler
        ) as connected:
            yield connected


def http_client(address: str, token: str | None = None) -> httpx2.AsyncClient:
    """An HTTP client of the whole server, for what no MCP client sends."""
    headers = ACCEPT | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx2.AsyncClient(base_url=f"http://{address}", headers=headers, trust_env=False, timeout=LIMIT_S)
