"""Graceful shutdown: running calls are finished, endless streams are ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Message, Receive, Scope, Send

_LISTEN = (b"mcp-method", b"subscriptions/listen")


class Drain:
    """The app with a graceful shutdown. After `begin`, endless streams see their client disconnect."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._begun = anyio.Event()

    def begin(self) -> None:
        """End the endless streams."""
        self._begun.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        # A GET is the stream of the protocols before 2026-07-28, which has a request of its own for it.
        endless = scope["type"] == "http" and (scope["method"] == "GET" or _LISTEN in scope["headers"])
        if not endless:
            await self._app(scope, receive, send)
            return
        answer = _CountedAnswer(send)
        await self._app(scope, self._until_begun(receive), answer.send)
        await answer.complete()

    def _until_begun(self, receive: Receive) -> Receive:
        async def receive_or_end() -> Message:
            message: Message = {"type": "http.disconnect"}

            async def read() -> None:
                nonlocal message
                message = await receive()
                group.cancel_scope.cancel()

            async with anyio.create_task_group() as group:
                group.start_soon(read)
                await self._begun.wait()
                group.cancel_scope.cancel()
            return message

        return receive_or_end


class _CountedAnswer:
    """Notices whether an answer was begun and not ended, and ends it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False

    async def send(self, message: Message) -> None:
        await self._send(message)
        self._open = message["type"] == "http.response.start" or message.get("more_body", False)

    async def complete(self) -> None:
        if self._open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
