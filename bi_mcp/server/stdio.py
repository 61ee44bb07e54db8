"""The server on standard input and output: the SDK's transport, and an answer to lines that are not messages."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

import anyio
from anyio.abc import ObjectReceiveStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError
from bi_mcp.server.refusals import NO_MESSAGE, answer_to, is_idless, refusal_of_request
from bi_mcp.vault.keyring import stop_asking

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.shared._stream_protocols import ReadStream, WriteStream


def serve_standard_streams(server: MCPServer) -> None:
    """Serve one client until its input ends. Raises `ConfigError` where the output cannot be written, as on a full disk."""
    try:
        anyio.run(_serve, server)
    except BaseExceptionGroup as group:
        failed, other = group.split(OSError)
        if failed is None or other is not None:
            raise
    else:
        return
    raise ConfigError(
        say(
            "The answers cannot be written to standard output. Let an assistant's client start the server, or free space where its output goes."
        )
    )


async def _serve(server: MCPServer) -> None:
    handlers = server._lowlevel_server  # noqa: SLF001  the SDK's own door takes no streams
    output = _duplicate_of_output()
    async with stdio_server() as (reading, writing):
        try:
            await handlers.run(_Messages(reading, writing), writing, handlers.create_initialization_options())
        except anyio.get_cancelled_exc_class():
            if _is_closed(output):
                # The client does not read any more. The SDK would wait for the end of the input, and then show a stack trace.
                os._exit(0)
            raise


def _duplicate_of_output() -> int | None:
    """Standard output under a number of its own: the SDK serves it under another one."""
    try:
        return os.dup(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return None


def _is_closed(output: int | None) -> bool:
    """Return whether the client has closed its end of our output. Windows does not report it."""
    if output is None or sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(output, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


class _Messages(ObjectReceiveStream[SessionMessage]):
    """The client's messages. Lines that are not messages are left out; where the client expects an answer to one, it is sent from here."""

    def __init__(
        self, reading: ReadStream[SessionMessage | Exception], writing: WriteStream[SessionMessage]
    ) -> None:
        self._reading = reading
        self._writing = writing

    async def receive(self) -> SessionMessage:
        while True:
            try:
                read = await self._reading.receive()
            except anyio.EndOfStream:
                # The client is gone; an answer from the keyring is of no use any more.
                stop_asking()
                raise
            if isinstance(read, Exception):
                answer = answer_to(read)
            elif is_idless(read.message):
                answer = refusal_of_request(None, INVALID_REQUEST, NO_MESSAGE)
            else:
                return read
            if answer is not None:
                await self._writing.send(SessionMessage(answer))

    async def aclose(self) -> None:
        await self._reading.aclose()
