"""The page on this machine to which the browser returns, for as long as a login waits."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

import anyio

from bi_mcp.auth.login import handler_address
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError
from bi_mcp.vault.loopback_page import build_page, listen, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.auth.login import Authorisation, Returned

PATIENCE_S = 300.0


class Receiver:
    """Receiver of one login's answer. Every request is answered; the first one that brings this login's answer ends the wait."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.handler_address = handler_address(listener.getsockname()[1])

    async def receive(self, authorisation: Authorisation, patience: float = PATIENCE_S) -> Returned:
        """Wait for the browser. Raises `AuthorisationError`: `NO_ANSWER` after `patience` seconds, or `FOREIGN_SERVER`."""
        outcomes: list[Returned | AuthorisationError] = []
        ended = anyio.Event()

        async def answer(request: Request) -> Response:
            status, text, outcome = _read_request(request, authorisation)
            if outcome is not None:
                outcomes.append(outcome)
                ended.set()
            title = say("Back to the terminal") if status == 200 else say("Not this login")
            return build_page(status, title, f"<p>{escape(text)}</p>")

        async with serving(answer, self._listener):
            with anyio.move_on_after(patience):
                await ended.wait()
        if not outcomes:
            raise AuthorisationError(
                say(
                    "The browser did not return. The portal shows its own errors in the browser. Check the handler address on the application's card ({handler_address}), or use --paste where the browser is on another machine.",
                    handler_address=self.handler_address,
                ),
                code="NO_ANSWER",
            )
        if isinstance(outcomes[0], AuthorisationError):
            raise outcomes[0]
        return outcomes[0]


@contextmanager
def receiving(port: int) -> Iterator[Receiver]:
    """Listen before the browser is sent off; port 0 takes a free one. Raises `AuthorisationError` `PORT_IN_USE`."""
    try:
        listener = listen(port)
    except OSError:
        raise AuthorisationError(
            say(
                "Port {port} is in use, perhaps by another login that is waiting. End that login, or choose another --port and enter its handler address on the application's card, or use --paste.",
                port=port,
            ),
            code="PORT_IN_USE",
        ) from None
    with listener:
        yield Receiver(listener)


def _read_request(
    request: Request, authorisation: Authorisation
) -> tuple[int, str, Returned | AuthorisationError | None]:
    query = request.scope["query_string"].decode()
    if request.method != "GET":
        return 405, say("This page is opened by a browser."), None
    if request.scope["path"] != "/" or not query:
        return 404, say("There is nothing here."), None
    try:
        returned = authorisation.read_return(f"/?{query}")
    except AuthorisationError as error:
        # Anyone may open this address: a call without this login's state does not end its wait.
        return 400, str(error), error if error.code == "FOREIGN_SERVER" else None
    return 200, say("bi-mcp has the portal's answer. Close this page and go back to the terminal."), returned
