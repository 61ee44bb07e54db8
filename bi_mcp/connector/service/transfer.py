"""The transfer of an answer: a part after the other, until it ends or something ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio import CapacityLimiter, Event, to_thread
from starlette.types import Message, Receive, Send

from bi_mcp.connector.service.reading import Reading

GONE = "the caller went"
STOPPED = "the connector stopped"
TOO_LONG = "it took too long"
NOT_TAKEN = "the caller does not read it"

HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))

Read = Callable[[Callable[[], bytes]], Awaitable[bytes]]


class EndedError(Exception):
    """The answer was ended from outside; `str()` says by what."""


@dataclass
class Ending:
    """What ends an answer from outside, if anything does."""

    reason: str | None = None
    complete: bool = False
    event: Event = field(default_factory=Event)

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.event.set()


class Transfers:
    """The transfers that are running."""

    def __init__(self, longest: float, longest_part: float) -> None:
        self._longest = longest
        self._longest_part = longest_part
        self._endings = list[Ending]()
        # Cancelling may block, and must not wait for the threads of those who are to be cancelled.
        self._cancelling = CapacityLimiter(8)

    def break_off(self) -> None:
        """End all that are running."""
        for ending in self._endings:
            ending.end(STOPPED)

    async def transfer(self, reading: Reading, read: Read, receive: Receive, send: Send) -> None:
        """Send an answer. Raises EndedError, and what the source raises; then the answer is not complete.

        The first part is read before the status is sent.
        """
        ending = Ending()
        fault: Exception | None = None
        self._endings.append(ending)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_listen, receive, ending)
                group.start_soon(self._watch, reading, ending, group.cancel_scope)
                fault = await _pump(reading, read, partial(_hand_over, send, self._longest_part))
                if fault is None:
                    # What ends it from now on comes too late.
                    ending.complete = True
                group.cancel_scope.cancel()
        finally:
            self._endings.remove(ending)
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(reading.close, limiter=self._cancelling)
        if ending.complete:
            return
        if ending.reason:
            raise EndedError(ending.reason)
        if fault:
            raise fault

    async def _watch(self, reading: Reading, ending: Ending, scope: anyio.CancelScope) -> None:
        with anyio.move_on_after(self._longest):
            await ending.event.wait()
        ending.end(TOO_LONG)
        await to_thread.run_sync(reading.cancel, limiter=self._cancelling)
        # Of use only while a part is sent: what reads one has been cancelled, and ends by itself.
        scope.cancel()


async def _listen(receive: Receive, ending: Ending) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
    ending.end(GONE)


async def _hand_over(send: Send, longest: float, message: Message) -> None:
    """Send a part. Raises EndedError if it is not taken."""
    with anyio.move_on_after(longest) as scope:
        await send(message)
    if scope.cancelled_caught:
        raise EndedError(NOT_TAKEN)


async def _pump(reading: Reading, read: Read, send: Send) -> Exception | None:
    """Send part by part. An error is returned: within a group of tasks it would be wrapped."""
    try:
        part = await read(reading.read)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        while not reading.ended:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await read(reading.read)
        await send({"type": "http.response.body", "body": part})
    except Exception as error:  # noqa: BLE001  whatever a source raises ends its answer
        return error
    return None
