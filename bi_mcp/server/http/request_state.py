"""The state that a client carries between the rounds of one call, sealed so that only a replica of this server can open it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

from bi_mcp.app.replicas.lease import Lease

if TYPE_CHECKING:
    from key_value.aio.protocols import AsyncKeyValue
    from mcp.server import MCPServer

COLLECTION = "bi_mcp_keys"
NAME = "request_state"


async def load_or_make_key(store: AsyncKeyValue, lease: Lease | None = None) -> str:
    """Return the key that all replicas seal with. The first one makes it."""
    kept = await store.get(NAME, collection=COLLECTION)
    if kept is None:
        async with lease or Lease(store, NAME):
            kept = await store.get(NAME, collection=COLLECTION)
            if kept is None:
                kept = {"key": secrets.token_hex(32)}
                await store.put(NAME, kept, collection=COLLECTION)
    return str(kept["key"])


def seal_with(server: MCPServer, key: str) -> None:
    """Let the server seal with this key instead of one that only this process has."""
    boundary = RequestStateBoundary(RequestStateSecurity(keys=[key]), default_audience=server.name)
    server.middleware[:] = [
        boundary if isinstance(middleware, RequestStateBoundary) else middleware
        for middleware in server.middleware
    ]
