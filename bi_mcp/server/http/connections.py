"""Bounds of connections: how many there are at once, and how long one may take to say what it wants.

uvicorn bounds neither. Requests that never end would take one file descriptor each, and without any left asyncio writes thousands of
lines to the log in each second.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from typing import Any

# A megabyte over a slow line; calls themselves may take longer.
REQUEST_S = 30.0
MOST_CONNECTIONS = 1000
# What the server opens itself: files, its portal, the shared store, connectors.
_KEPT_BACK = 100
_FEWEST = 10

logger = logging.getLogger(__name__)


def most_connections() -> int:
    """Return the number of clients that may be connected, given how many descriptors the system lets this process open."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    # Imported here: Windows does not have this module.
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(limit - _KEPT_BACK, limit // 2, _FEWEST))


class BoundedListener(socket.socket):
    """A listening socket that closes new connections when enough are open, handshakes of TLS included."""

    _most = MOST_CONNECTIONS

    def __init__(self, listener: socket.socket, most: int) -> None:
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.detach())
        self._most = most
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, or close it and raise `BlockingIOError`, as if none had arrived."""
        connection, address = super().accept()
        if len(self._accepted) >= self._most:
            self._accepted = [one for one in self._accepted if one.fileno() != -1]
        if len(self._accepted) >= self._most:
            connection.close()
            logger.warning("connection closed: %d are open already", self._most)
            raise BlockingIOError
        self._accepted.append(connection)
        return connection, address


class BoundedProtocol(H11Protocol):
    """HTTP whose requests must have arrived after `request_s`. Idle connections between requests are closed by uvicorn."""

    request_s = REQUEST_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the time limit for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on, with a time limit for the rest of a request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the time limit."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.request_s, self._end)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        logger.warning("connection closed: no whole request after %g s", self.request_s)
        # A closing handshake would wait for a client that never answers.
        self.transport.abort()
