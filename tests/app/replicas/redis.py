"""A Redis of its own on loopback, without anything on disk."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

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


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _LIMIT_S
    while process.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        return
    raise RuntimeError("Redis did not start")
