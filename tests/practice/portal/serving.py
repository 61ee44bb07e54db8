"""A real server on a free port, for what only a socket can show."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Ends as soon as it can. uvicorn looks only ten times a second whether it should, and then whether it may."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = anyio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.001)
        for server in self.servers:
            await server.wait_closed()


@asynccontextmanager
async def served(
    app: ASGIApp, *, certificate: tuple[str, str] | None = None, port: int = 0
) -> AsyncIterator[str]:
    """Serve the app and give its `host:port`; `certificate` is a pair of PEM paths (certificate, key). Port 0 is any that is free."""
    pem, key = certificate or (None, None)
    config = uvicorn.Config(app, lifespan="off", log_level=60, ssl_certfile=pem, ssl_keyfile=key)
    server = _Server(config)
    # asyncio sends at once on sockets that are said to be of TCP; on others each answer waits 40 ms for its own headers' receipt.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", port))
        # Clients may connect from here on: they wait in the backlog until the server is up.
        listener.listen()
        async with anyio.create_task_group() as group:
            group.start_soon(partial(server.serve, sockets=[listener]))
            try:
                yield f"127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.ending.set()
