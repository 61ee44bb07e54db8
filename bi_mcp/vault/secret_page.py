"""A page on this machine that asks the person for a secret, so that its value passes neither the model nor the client.

It listens on loopback under an address that cannot be guessed, takes one value, from its own form only, and is gone.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
from anyio import to_thread

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.asking import WantedSecret, store_wanted
from bi_mcp.vault.loopback_page import HOST, build_page, listen, serving
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES

if TYPE_CHECKING:
    from anyio.abc import TaskGroup
    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.vault.named_secrets import NamedSecrets

PATIENCE_S = 300.0
MOST_PAGES = 8
# Every byte of a value may be written as three.
_LONGEST_FORM = 3 * MAX_VALUE_BYTES + 1024

logger = logging.getLogger(__name__)


class SecretPages:
    """The pages that are open (`AskingPages`). `group` outlives the calls that open them."""

    are_hosted = False

    def __init__(self, stored: NamedSecrets, group: TaskGroup, *, patience: float = PATIENCE_S) -> None:
        self._stored = stored
        self._group = group
        self._patience = patience
        self._pages: dict[WantedSecret, SecretPage] = {}

    async def open(self, wanted: WantedSecret) -> SecretPage:
        """Open a page, or return the one that already asks for this. Raises `OSError` if it cannot listen."""
        self._pages = {asked: page for asked, page in self._pages.items() if not page.closed.is_set()}
        if wanted not in self._pages:
            if len(self._pages) >= MOST_PAGES:
                next(iter(self._pages.values())).closed.set()
            page = SecretPage(wanted, self._stored)
            self._pages[wanted] = page
            self._group.start_soon(page.serve, self._patience)
        return self._pages[wanted]


class SecretPage:
    """One page (`AskingPage`). `closed` is set once it took a value, was given up, or waited long enough."""

    def __init__(self, wanted: WantedSecret, stored: NamedSecrets) -> None:
        self.closed = anyio.Event()
        self._wanted = wanted
        self._stored = stored
        self._listener = listen()
        self._authority = f"{HOST}:{self._listener.getsockname()[1]}"
        self._path = f"/{secrets.token_urlsafe(32)}"
        self._form_token = secrets.token_urlsafe(32)
        self._one_at_a_time = anyio.Lock()

    @property
    def url(self) -> str:
        """Address that the person opens."""
        return f"http://{self._authority}{self._path}"

    async def wait(self) -> None:
        """Wait until it took a value, was given up, or waited long enough."""
        await self.closed.wait()

    async def close(self) -> None:
        """Give it up."""
        self.closed.set()

    async def serve(self, patience: float) -> None:
        """Answer browsers until the page is closed or `patience` seconds have passed."""
        try:
            with self._listener:
                async with serving(self._answer, self._listener):
                    with anyio.move_on_after(patience):
                        await self.closed.wait()
                    self.closed.set()
        except Exception as error:  # noqa: BLE001  the server that opened the page goes on without it
            logger.debug("The page for a secret ended with %s", type(error).__name__)
        finally:
            self.closed.set()

    async def _answer(self, request: Request) -> Response:
        # Read in any case: a client that is answered while it still sends may never see the answer.
        form = await _read_form(request)
        refusal = self._refusal(request, form)
        if refusal is not None:
            return refusal
        return self._form(200) if request.method == "GET" else await self._take(form)

    def _refusal(self, request: Request, form: bytes) -> Response | None:
        """Refuse other hosts, which are names that someone points at this machine, and other origins."""
        headers = request.headers
        own_host = headers.getlist("host") == [self._authority]
        own_path = hmac.compare_digest(request.scope["raw_path"], self._path.encode())
        if not own_host or not own_path or request.scope["query_string"]:
            return _result_page(404, say("There is nothing here."))
        if request.method == "GET":
            return None
        if request.method != "POST":
            return _result_page(405, say("This page is opened by a browser."))
        own_origin = headers.getlist("origin") == [f"http://{self._authority}"]
        if not own_origin or headers.getlist("sec-fetch-site") not in ([], ["same-origin"]):
            return _result_page(403, say("This form was not sent from its own page. Nothing was stored."))
        if len(form) > _LONGEST_FORM:
            return _result_page(413, say("The value is too large. Nothing was stored."))
        return None

    async def _take(self, body: bytes) -> Response:
        """Store the value of a form. The page is then done."""
        form = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True, errors="replace")
        token = form.get("token", [""])[0]
        if not hmac.compare_digest(token.encode(), self._form_token.encode()):
            return _result_page(403, say("This form was not sent from its own page. Nothing was stored."))
        value = Secret(form.get("value", [""])[0])
        try:
            async with self._one_at_a_time:
                await to_thread.run_sync(store_wanted, self._stored, self._wanted, value)
        except ConfigError as error:
            return self._form(400, str(error))
        self.closed.set()
        return _result_page(200, say("The secret is stored. Close this page and go back to the assistant."))

    def _form(self, status: int, problem: str = "") -> Response:
        wanted = self._wanted
        facts = (
            (say("Name"), wanted.name),
            (say("Portal"), wanted.portal),
            (say("Connector"), wanted.connector),
            (say("May be sent to"), ", ".join(wanted.hosts)),
        )
        asked = say("An assistant asks for a secret. It will not see the value.")
        advice = say("Enter it only if you trust this host with it.")
        listed = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts)
        content = (
            f"<p>{escape(asked)}</p><dl>{listed}</dl><p>{escape(advice)}</p>"
            f'<p role="alert">{escape(problem)}</p><form method="post" autocomplete="off">'
            f'<input type="hidden" name="token" value="{self._form_token}"><label>{escape(say("Value"))}'
            '<input type="password" name="value" required autofocus autocomplete="off" spellcheck="false"></label>'
            f"<button>{escape(say('Store'))}</button></form>"
        )
        title = say("Store the secret {name}", name=wanted.name)
        return build_page(status, title, content, referrer="same-origin")


def _result_page(status: int, text: str) -> Response:
    title = say("Stored") if status == 200 else say("Not stored")
    return build_page(status, title, f"<p>{escape(text)}</p>")


async def _read_form(request: Request) -> bytes:
    """Read a form; of one that is too large, only as much as shows that it is."""
    form = bytearray()
    async for chunk in request.stream():
        form += chunk
        if len(form) > _LONGEST_FORM:
            break
    return bytes(form)
