"""The page on this machine to which the browser returns, for as long as a login waits."""

from __future__ import annotations

from contextlib import asynccontextmanager
from html import escape
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream

from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError
from bi_mcp.vault.loopback_page import HOST, LONGEST_HEAD, answer_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream
    from anyio.streams.stapled import MultiListener

    from bi_mcp.auth.login import Authorisation, Returned

PATIENCE_S = 300.0


class Receiver:
    """Listener on loopback. Every connection is answered; the first one that brings this login's answer ends the wait."""

    def __init__(self, listener: MultiListener[SocketStream]) -> None:
        self._listener = listener
        self._outcome: Returned | AuthorisationError | None = None
        self._come = anyio.Event()

    @property
    def handler_address(self) -> str:
        """The handler address to enter on the application's card."""
        port: int = self._listener.extra(SocketAttribute.local_port)  # noqa: S610  a socket's attribute, no query
        return handler_address(port)

    async def receive(self, authorisation: Authorisation, patience: float = PATIENCE_S) -> Returned:
        """Wait for the browser. Raises `AuthorisationError`: `NO_ANSWER` after `patience` seconds, or `FOREIGN_SERVER`."""

        async def answer(stream: SocketStream) -> None:
            async with stream:
                outcome = await _answer(stream, authorisation)
            if outcome is not None:
                self._outcome = outcome
                self._come.set()

        async with anyio.create_task_group() as group:
            group.start_soon(self._listener.serve, answer)
            with anyio.move_on_after(patience):
                await self._come.wait()
            group.cancel_scope.cancel()
        if self._outcome is None:
            raise AuthorisationError(
                say(
                    "The browser did not come back. The portal shows its own errors in the browser. Check the handler address on the application's card ({handler_address}), or use --paste where the browser is on another machine.",
                    handler_address=self.handler_address,
                ),
                code="NO_ANSWER",
            )
        if isinstance(self._outcome, AuthorisationError):
            raise self._outcome
        return self._outcome


def handler_address(port: int) -> str:
    """Return the handler address to enter on the application's card."""
    return f"http://{HOST}:{port}/"


@asynccontextmanager
async def receiving(port: int) -> AsyncIterator[Receiver]:
    """Listen before the browser is sent off; port 0 takes a free one. Raises `AuthorisationError` `PORT_IN_USE`."""
    try:
        listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)
    except OSError:
        raise AuthorisationError(
            say(
                "Port {port} is taken, perhaps by another login that waits. End that one, or choose another --port and enter its handler address on the application's card, or use --paste.",
                port=port,
            ),
            code="PORT_IN_USE",
        ) from None
    async with listener:
        yield Receiver(listener)


async def _answer(stream: SocketStream, authorisation: Authorisation) -> Returned | AuthorisationError | None:
    """Answer one request; None if it was not the expected one."""
    try:
        head = await BufferedByteReceiveStream(stream).receive_until(b"\r\n\r\n", LONGEST_HEAD)
        status, text, outcome = _outcome_of(head, authorisation)
        await stream.send(_page(status, text))
    except (
        anyio.EndOfStream,
        anyio.IncompleteRead,
        anyio.DelimiterNotFound,
        anyio.BrokenResourceError,
    ):
        # Browsers open connections that they do not use, and close them before an answer.
        return None
    return outcome


def _outcome_of(
    head: bytes, authorisation: Authorisation
) -> tuple[int, str, Returned | AuthorisationError | None]:
    verb, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    target = rest.rpartition(" ")[0]
    if verb != "GET":
        return 405, say("This page is opened by a browser."), None
    if not target.startswith("/?"):
        return 404, say("There is nothing here."), None
    try:
        returned = authorisation.read_return(target)
    except AuthorisationError as error:
        # Anyone may open this address: a call without this login's state does not end its wait.
        return 400, str(error), error if error.code == "FOREIGN_SERVER" else None
    return 200, say("bi-mcp has the portal's answer. Close this page and go back to the terminal."), returned


def _page(status: int, text: str) -> bytes:
    title = say("Back to the terminal") if status == 200 else say("Not this login")
    return answer_page(status, title, f"<p>{escape(text)}</p>")
