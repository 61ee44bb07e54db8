"""The state that a client carries between the rounds of one call, sealed so that only a replica of this server can open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

if TYPE_CHECKING:
    from mcp.server import MCPServer


def seal_with(server: MCPServer, key: str) -> None:
    """Let the server seal with this key instead of one that only this process has."""
    boundary = RequestStateBoundary(RequestStateSecurity(keys=[key]), default_audience=server.name)
    server.middleware[:] = [
        boundary if isinstance(middleware, RequestStateBoundary) else middleware
        for middleware in server.middleware
    ]
