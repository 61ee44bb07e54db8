"""A Redis of its own on loopback, without anything on disk."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from time import monotonic

import anyio
from anyio.abc import SocketStream

from tests.auth.command import free_port

PASSWORD = "password-of-the-redis"
_LIMIT_S = 60


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Start it and give its address, password included."""
    port = free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--requirepass",
        PASSWORD,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder) as process:  # noqa: S603  the system's Redis
        try:
            _wait_until_it_listens(port, process)
            yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        finally:
            process.kill()


@asynccontextmanager
async def broken_redis() -> AsyncIterator[str]:
    """Answer everything with a number that is not one, and give the address."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while await stream.receive():
                    await stream.send(b":hunter2\r\n")

    port = free_port()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, answer)
        yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0?protocol=2"
        group.cancel_scope.cancel()


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _LIMIT_S
    while process.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        return
    raise RuntimeError("Redis did not start")
