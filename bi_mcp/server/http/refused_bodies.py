"""Readable errors for a body that is not a JSON-RPC message. The SDK would show the errors of its validator, which repeat the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.types import INVALID_REQUEST

from bi_mcp.server.refusals import NO_MESSAGE, refusal_of_request

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of the protocols before 2026-07-28; the newest has words of its own.
_VALIDATORS = b'"message":"Validation error: '


class RefusedBodies:
    """The app with these answers replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started: Message | None = None

        async def send_in_words(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and message["status"] == 400:
                # Why it was refused is known only from the body, which arrives as a whole.
                started = message
                return
            if started is not None:
                start, started = started, None
                if _VALIDATORS in message.get("body", b""):
                    start, message = _in_words(start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, send_in_words)


def _in_words(start: Message, message: Message) -> tuple[Message, Message]:
    body = refusal_of_request(None, INVALID_REQUEST, NO_MESSAGE).model_dump_json(exclude_unset=True).encode()
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    return {**start, "headers": [*headers, length]}, {**message, "body": body}
