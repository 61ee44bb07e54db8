"""A bound on the connections that are open at once.

uvicorn has none. Each takes a file descriptor, and without any left asyncio writes thousands of lines to the log in each second.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

MOST_CONNECTIONS = 1000
_BACKLOG = 2048
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
        # `socket.create_server` leaves the protocol open, and asyncio turns Nagle's algorithm off only where it is said to be
        # TCP: the body of each answer would wait 40 ms for the receipt of its headers.
        super().__init__(listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())
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


def open_listener(host: str, port: int) -> BoundedListener:
    """Listen on an address of this machine, with as many connections as the system allows. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    return BoundedListener(listener, most_connections())
