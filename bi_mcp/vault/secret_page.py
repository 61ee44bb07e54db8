"""A page on this machine that asks the person for a secret, so that its value passes neither the model nor the client.

It listens on loopback under an address that cannot be guessed, takes one value, from its own form only, and is gone.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
from anyio import to_thread
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.loopback_page import HOST, LONGEST_HEAD, answer_page
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import SocketStream, TaskGroup
    from anyio.streams.stapled import MultiListener

    from bi_mcp.vault.named_secrets import NamedSecrets

PATIENCE_S = 300.0
MOST_PAGES = 8
_CONNECTION_S = 30.0
# Every byte of a value may be written as three.
_LONGEST_FORM = 3 * MAX_VALUE_BYTES + 1024

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WantedSecret:
    """The secret that is asked for: its name, the hosts that it will be bound to, and for whom."""

    name: str
    hosts: tuple[str, ...]
    portal: str
    connector: str


class SecretPages:
    """The pages that are open. `group` outlives the calls that open them."""

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
            listener = await anyio.create_tcp_listener(local_host=HOST)
            page = SecretPage(wanted, self._stored, listener)
            self._pages[wanted] = page
            self._group.start_soon(page.serve, self._patience)
        return self._pages[wanted]


class SecretPage:
    """One page. `closed` is set once it took a value, was given up, or waited long enough."""

    def __init__(
        self, wanted: WantedSecret, stored: NamedSecrets, listener: MultiListener[SocketStream]
    ) -> None:
        port: int = listener.extra(SocketAttribute.local_port)  # noqa: S610  a socket's attribute, no query
        self.closed = anyio.Event()
        self._wanted = wanted
        self._stored = stored
        self._listener = listener
        self._authority = f"{HOST}:{port}"
        self._path = f"/{secrets.token_urlsafe(32)}"
        self._form_token = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """Address that the person opens."""
        return f"http://{self._authority}{self._path}"

    async def serve(self, patience: float) -> None:
        """Answer browsers until the page is closed or `patience` seconds have passed."""
        async with self._listener, anyio.create_task_group() as group:
            group.start_soon(self._listener.serve, self._talk)
            with anyio.move_on_after(patience):
                await self.closed.wait()
            group.cancel_scope.cancel()
        self.closed.set()

    async def _talk(self, stream: SocketStream) -> None:
        async with stream:
            try:
                with anyio.move_on_after(_CONNECTION_S):
                    await self._answer(stream)
            except Exception as error:  # noqa: BLE001  whatever a stranger sends, the server behind the page goes on
                _logger.debug("a connection to the page for a secret ended with %s", type(error).__name__)

    async def _answer(self, stream: SocketStream) -> None:
        buffered = BufferedByteReceiveStream(stream)
        head = (await buffered.receive_until(b"\r\n\r\n", LONGEST_HEAD)).decode("latin-1")
        verb, path, fields = _parse_head(head)
        length = _length(fields)
        # Read in any case: a client that is answered while it still sends may never see the answer.
        form = await buffered.receive_exactly(length) if 0 < length <= _LONGEST_FORM else b""
        refusal = self._refusal(verb, path, fields)
        if refusal is not None:
            await stream.send(refusal)
        elif verb == "GET":
            await stream.send(self._form(200))
        else:
            done, page = await self._take(form)
            await stream.send(page)
            if done:
                self.closed.set()

    def _refusal(self, verb: str, path: str, fields: Mapping[str, str]) -> bytes | None:
        """Refuse other hosts, which are names that someone points at this machine, and other origins."""
        if fields.get("host") != self._authority or not hmac.compare_digest(
            path.encode(), self._path.encode()
        ):
            return _result_page(404, say("There is nothing here."))
        if verb == "GET":
            return None
        if verb != "POST":
            return _result_page(405, say("This page is opened by a browser."))
        own = fields.get("origin") == f"http://{self._authority}"
        if not own or fields.get("sec-fetch-site", "same-origin") != "same-origin":
            return _result_page(403, say("This form was not sent from its own page. Nothing was stored."))
        if _length(fields) > _LONGEST_FORM:
            return _result_page(413, say("The value is too large. Nothing was stored."))
        return None

    async def _take(self, body: bytes) -> tuple[bool, bytes]:
        """Store the value of a form. Returns True if the page is done, and its answer."""
        form = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True, errors="replace")
        given = form.get("token", [""])[0]
        if not hmac.compare_digest(given.encode(), self._form_token.encode()):
            return False, _result_page(
                403, say("This form was not sent from its own page. Nothing was stored.")
            )
        value = Secret(form.get("value", [""])[0])
        try:
            await to_thread.run_sync(self._store, value)
        except ConfigError as error:
            return False, self._form(400, str(error))
        return True, _result_page(
            200, say("The secret is stored. Close this page and go back to the assistant.")
        )

    def _store(self, value: Secret) -> None:
        name = self._wanted.name
        if name in self._stored.known():
            raise ConfigError(
                say(
                    "A secret {name} is stored meanwhile. Nothing was changed; close this page and go back to the assistant.",
                    name=name,
                )
            )
        self._stored.store(name, value, self._wanted.hosts)

    def _form(self, status: int, problem: str = "") -> bytes:
        wanted = self._wanted
        shown = (
            (say("Name"), wanted.name),
            (say("Portal"), wanted.portal),
            (say("Connector"), wanted.connector),
            (say("May be sent to"), ", ".join(wanted.hosts)),
        )
        asked = say("An assistant asks for a secret. It will not see the value.")
        advice = say("Enter it only if you trust this host with it.")
        facts = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in shown)
        content = (
            f"<p>{escape(asked)}</p><dl>{facts}</dl><p>{escape(advice)}</p>"
            f'<p role="alert">{escape(problem)}</p><form method="post" autocomplete="off">'
            f'<input type="hidden" name="token" value="{self._form_token}"><label>{escape(say("Value"))}'
            '<input type="password" name="value" required autofocus autocomplete="off" spellcheck="false"></label>'
            f"<button>{escape(say('Store'))}</button></form>"
        )
        title = say("Store the secret {name}", name=wanted.name)
        return answer_page(status, title, content, referrer="same-origin")


def _result_page(status: int, text: str) -> bytes:
    title = say("Stored") if status == 200 else say("Not stored")
    return answer_page(status, title, f"<p>{escape(text)}</p>")


def _length(fields: Mapping[str, str]) -> int:
    """Read the length of the body; without a plain number the body counts as empty."""
    written = fields.get("content-length", "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    """Read verb, path and fields of a request. A repeated field holds both values, and so never an expected one."""
    first, *lines = head.split("\r\n")
    verb, _, rest = first.partition(" ")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.lower()
        fields[key] = f"{fields[key]},{value.strip()}" if key in fields else value.strip()
    return verb, rest.rpartition(" ")[0], fields
