"""bi-mcp as a client starts it: a process of its own with an environment that holds nothing but what a test gives it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

COMMAND = [sys.executable, "-m", "bi_mcp"]
# Generous: it ends a test that would hang, and measures nothing.
LIMIT_S = 60
LONGEST_LINE = 10_000_000
MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of the developer's own settings; data goes below `home`."""
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        # The package of this checkout, whichever one is installed.
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **variables,
    }


class Wire:
    """A server's standard streams, one JSON-RPC message a line. Any other line on its output fails the test."""

    def __init__(self, process: Process, errors: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input = process.stdin
        self._output = BufferedByteReceiveStream(process.stdout)
        self._errors = errors
        self._last_id = 0
        self._heard: list[str] = []

    async def send_line(self, line: str) -> None:
        await self.send_bytes(line.encode())

    async def send_bytes(self, line: bytes) -> None:
        await self._input.send(line + b"\n")

    async def notify(self, method: str) -> None:
        await self.send_line(json.dumps({"jsonrpc": "2.0", "method": method}))

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the result of a request."""
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        await self.send_line(json.dumps(request))
        answer = await self.next_message()
        assert answer["id"] == self._last_id
        result: dict[str, Any] = answer["result"]
        return result

    async def call(self, tool: str, arguments: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Return the structured content of a call that must succeed."""
        result = await self.ask("tools/call", name=tool, arguments=arguments, **params)
        assert not result["isError"], result
        content: dict[str, Any] = result["structuredContent"]
        return content

    async def next_message(self) -> dict[str, Any]:
        """Return what the server says next, an answer or a notification."""
        return self._hear(await self._output.receive_until(b"\n", LONGEST_LINE))

    async def end(self) -> int:
        """End the input, as a client does that goes; return the exit code."""
        await self._input.aclose()
        rest = b"".join([chunk async for chunk in self._output])
        for line in rest.splitlines():
            self._hear(line)
        return await self._process.wait()

    async def signalled(self, number: signal.Signals) -> int:
        """Send a signal while the input is still open; return the exit code."""
        self._process.send_signal(number)
        return await self._process.wait()

    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def heard(self) -> str:
        return "\n".join(self._heard)

    def _hear(self, line: bytes) -> dict[str, Any]:
        self._heard.append(line.decode())
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message


@asynccontextmanager
async def started(home: Path, *options: str, name: str = "server", **variables: str) -> AsyncIterator[Wire]:
    """Start a server on its standard streams; it is gone afterwards, whatever happened."""
    errors = home / f"{name}.stderr"
    with anyio.fail_after(LIMIT_S), errors.open("wb") as stderr:
        process = await anyio.open_process(
            [*COMMAND, *options], stderr=stderr, env=environment(home, **variables), cwd=home
        )
        async with process:
            try:
                yield Wire(process, errors)
            finally:
                if process.returncode is None:
                    process.kill()


async def ran(home: Path, *options: str, **variables: str) -> CompletedProcess[bytes]:
    """Run a command to its end, with an empty input."""
    with anyio.fail_after(LIMIT_S):
        return await anyio.run_process(
            [*COMMAND, *options], check=False, env=environment(home, **variables), cwd=home
        )
