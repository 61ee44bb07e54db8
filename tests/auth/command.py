"""`bi-mcp` as a person runs it: a process with a configuration folder of its own."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.server.processes import LIMIT_S, environment

SECRET = "BI_MCP_SECRET_OF_THIS_TEST"
_ADDRESS = re.compile(rb"http://\S+/oauth/authorize/\?\S+")


class Command:
    """A running command; `output` is what it has printed so far, errors included."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.output = ""
        self._process = process
        self._input = process.stdin
        self._stream = BufferedByteReceiveStream(process.stdout)

    async def address_to_open(self) -> str:
        """Wait until it prints the address of the portal's page."""
        while True:
            line = await self._stream.receive_until(b"\n", 10_000)
            self.output += line.decode() + "\n"
            if found := _ADDRESS.search(line):
                return found[0].decode()

    async def type(self, line: str) -> None:
        await self._input.send(f"{line}\n".encode())

    async def end(self) -> int:
        """Wait for its end and return the exit code."""
        await self._input.aclose()
        async for chunk in self._stream:
            self.output += chunk.decode()
        return await self._process.wait()


@asynccontextmanager
async def command(home: Path, *arguments: str, secret: str = "", **variables: str) -> AsyncIterator[Command]:
    """Start `bi-mcp ARGUMENTS`; `secret` is what the variable SECRET holds."""
    own = {"BI_MCP_CONFIG_DIR": str(home / "config"), SECRET: secret}
    with anyio.fail_after(LIMIT_S):
        async with await anyio.open_process(
            [sys.executable, "-u", "-m", "bi_mcp", *arguments],
            stdin=PIPE,
            stderr=STDOUT,
            env=environment(home) | own | variables,
            cwd=home,
        ) as process:
            try:
                yield Command(process)
            finally:
                if process.returncode is None:
                    process.kill()


async def ran(home: Path, *arguments: str, typed: str = "", secret: str = "") -> tuple[int, str]:
    """Run a command to its end; return its exit code and all that it printed."""
    async with command(home, *arguments, secret=secret) as running:
        if typed:
            await running.type(typed)
        code = await running.end()
    return code, running.output


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
