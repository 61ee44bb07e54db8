"""A real server on a free port, for what only a socket can show."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def served(app: ASGIApp, *, certificate: tuple[str, str] | None = None) -> AsyncIterator[str]:
    """Serve the app and give its `host:port`; `certificate` is a pair of PEM paths (certificate, key)."""
    pem, key = certificate or (None, None)
    config = uvicorn.Config(app, lifespan="off", log_level=60, ssl_certfile=pem, ssl_keyfile=key)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # Clients may connect from here on: they wait in the backlog until the server is up.
        listener.listen()
        async with anyio.create_task_group() as group:
            group.start_soon(partial(server.serve, sockets=[listener]))
            try:
                yield f"127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
