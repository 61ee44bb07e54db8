"""`bi-mcp serve --http` as a process of its own, on whatever port is free."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.server.http.serving import LIMIT_S
from tests.server.processes import COMMAND, environment


@dataclass
class Serving:
    """A server that listens at `address` (`host:port`)."""

    address: str
    process: Process
    _errors: BufferedByteReceiveStream

    async def ended(self) -> tuple[int, str]:
        """Wait for its end; return the exit code and what it wrote to standard error since it listened."""
        written = self._errors.buffer + b"".join([chunk async for chunk in self._errors])
        return await self.process.wait(), written.decode()


@asynccontextmanager
async def serving(home: Path, *options: str, **variables: str) -> AsyncIterator[Serving]:
    """Start a server; it is gone afterwards, whatever happened."""
    variables = {"BI_MCP_PORTAL_DB": ":memory:"} | variables
    async with await anyio.open_process(
        [*COMMAND, "serve", "--http", "--port", "0", *options], env=environment(home, **variables), cwd=home
    ) as process:
        try:
            assert process.stderr is not None
            errors = BufferedByteReceiveStream(process.stderr)
            with anyio.fail_after(LIMIT_S):
                line = (await errors.receive_until(b"\n", 10_000)).decode()
            assert "bi-mcp serves MCP on http" in line, line
            yield Serving(line.split("://")[1].split("/")[0], process, errors)
        finally:
            if process.returncode is None:
                process.kill()
