"""Graceful shutdown: running calls are finished, endless streams are ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        if is_endless(scope):
            await serve_until(self._begun.wait, self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_endless(scope: Scope) -> bool:
    """Return whether a request is answered by a stream that ends with its client only."""
    # A GET is the stream of the protocols before 2026-07-28, which has a request of its own for it.
    return scope["type"] == "http" and (scope["method"] == "GET" or _LISTEN in scope["headers"])


async def serve_until(
    end: Callable[[], Awaitable[object]], app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request whose client seems to disconnect once `end` returns. It is called anew for each message of the client."""

    async def receive_or_end() -> Message:
        message: Message = {"type": "http.disconnect"}

        async def read() -> None:
            nonlocal message
            message = await receive()
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await end()
            group.cancel_scope.cancel()
        return message

    answer = _CountedAnswer(send)
    await app(scope, receive_or_end, answer.send)
    await answer.complete()


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
