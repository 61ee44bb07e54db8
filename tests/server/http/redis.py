"""A Redis of its own on loopback, without anything on disk."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process

from tests.server.http.serving import LIMIT_S

PASSWORD = "password-of-the-redis"


@asynccontextmanager
async def running_redis(folder: Path) -> AsyncIterator[str]:
    """Start it and give its address, password included."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]
    async with await anyio.open_process(
        ["redis-server", *options], stdout=subprocess.DEVNULL, cwd=folder
    ) as process:
        try:
            with anyio.fail_after(LIMIT_S):
                await listens(port, process)
            yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def listens(port: int, process: Process) -> bool:
    """Wait until somebody accepts connections; False when the server has ended instead."""
    while process.returncode is None:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return True
        except OSError:
            await anyio.lowlevel.checkpoint()
    return False
