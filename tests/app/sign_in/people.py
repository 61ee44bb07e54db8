"""People of one portal and what their clients ask for, and people who are signed in to practice portals without its pages."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from bi_mcp.app.app import App
from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.connected_clients import ConnectedClients
from bi_mcp.app.sign_in.documents import Document
from bi_mcp.app.sign_in.peoples_apps import PeoplesApps
from bi_mcp.app.sign_in.portal_logins import PortalLogins
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person
from bi_mcp.auth.token import Application, Grant, Token, parse_token
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from tests.practice.portal.serving import served

PORTAL = "https://acme.bitrix24.example"
ANNA = Person(portal=PORTAL, user_id=7, name="Anna Ivanova", administrator=True)
BORIS = Person(portal=PORTAL, user_id=8, name="Boris Petrov")


def asked(name: str) -> Asked:
    return Asked(
        client_id=f"https://{name.lower().replace(' ', '-')}.example/client.json",
        client_name=name,
        redirect_uri="http://127.0.0.1:33418/callback",
        redirect_uri_given=True,
        state="state-of-the-client",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        scopes=("read", "write"),
        resource="https://bi.example/mcp",
    )


def grant(now: float, name: str = "1") -> Grant:
    """A portal login that was made now."""
    return Grant(
        Application("local.1", Secret("secret-of-the-application"), "https://oauth.bitrix24.tech"),
        Token(Secret(f"access-{name}"), Secret(f"refresh-{name}"), now + 3600, user_id=7),
    )


class DocumentsInMemory:
    """A store of one process, in which nothing expires."""

    def __init__(self) -> None:
        self._kept: dict[str, Document] = {}
        self._locks: dict[str, anyio.Lock] = {}

    async def get(self, name: str) -> Document | None:
        return self._kept.get(name)

    async def put(self, name: str, document: Document, *, lifetime_s: float | None = None) -> None:  # noqa: ARG002  the protocol's signature
        self._kept[name] = document

    async def add(self, name: str, document: Document, *, lifetime_s: float | None = None) -> bool:  # noqa: ARG002  the protocol's signature
        return self._kept.setdefault(name, document) is document

    async def take(self, name: str) -> Document | None:
        return self._kept.pop(name, None)

    async def change(
        self,
        name: str,
        change: Callable[[Document], Document | None],
        *,
        lifetime_s: float | None = None,  # noqa: ARG002  the protocol's signature
    ) -> Document | None:
        changed = change(self._kept[name]) if name in self._kept else None
        if changed is not None:
            self._kept[name] = changed
        return changed

    async def delete(self, name: str) -> None:
        self._kept.pop(name, None)

    async def names(self, prefix: str) -> list[str]:
        return [name for name in self._kept if name.startswith(prefix)]

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._locks.setdefault(name, anyio.Lock())


class PeoplesPortal:
    """A practice portal that gives every caller the same cookie, and what it was sent: bodies by their tokens, cookies, connections."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self.address = ""
        self.sent: list[tuple[str, str]] = []
        self.cookies: list[bytes] = []
        self.connections: set[tuple[str, int]] = set()
        self._card = app.state.tokens.register("bi-mcp", "https://bi.example/sign-in/return")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note() -> Message:
            message = await receive()
            if message.get("body", b"").startswith(b"{"):
                self.sent.append((json.loads(message["body"])["auth"], message["body"].decode()))
            return message

        async def give_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = (b"set-cookie", b"PHPSESSID=of-whoever-came-first; path=/")
                message["headers"] = [*message.get("headers", []), cookie]
            await send(message)

        self.connections.add(tuple(scope["client"]))
        self.cookies += [value for name, value in scope["headers"] if name == b"cookie"]
        await self.app(scope, note, give_cookie)

    @property
    def tokens(self) -> set[str]:
        return {token for token, _ in self.sent}

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def registered(self) -> SignInPortal:
        """The portal as the operator configured it."""
        secret = Secret(self._card.client_secret)
        return SignInPortal(url=self.url, client_id=self._card.client_id, client_secret=secret)

    def grant(self, user: int, now: float | None = None) -> Grant:
        """What a login of this user at `now` gives."""
        application = Application(self._card.client_id, Secret(self._card.client_secret), self.url)
        issued = self.app.state.tokens.issue(self._card, user)
        return Grant(application, parse_token(issued, time.time() if now is None else now))

    def person(self, user: int) -> Person:
        return Person(portal=self.url, user_id=user, name=f"Person {user}")


@asynccontextmanager
async def peoples_portal() -> AsyncIterator[PeoplesPortal]:
    """Serve a practice portal that knows the sample connector."""
    app = create_app(LocalPortalSettings(), connectors={sample.ORIGIN: sample.create_app()})
    portal = PeoplesPortal(app)
    async with served(portal) as address:
        portal.address = address
        yield portal


def sign_ins_to(*portals: PeoplesPortal) -> SignIns:
    """Let people sign in to these portals."""
    registered = [portal.registered for portal in portals]
    documents = DocumentsInMemory()
    return SignIns(
        portals={portal.host: portal for portal in registered},
        documents=documents,
        clients=ConnectedClients(documents),
        logins=PortalLogins(documents),
    )


async def sign_in(sign_ins: SignIns, portal: PeoplesPortal, user: int, login: Grant | None = None) -> Person:
    """Let a user of the portal sign in with a client. The portal gives a new login, or this one."""
    person = portal.person(user)
    await sign_ins.logins.keep(person, login or portal.grant(user))
    code = await sign_ins.clients.issue_code(person, asked("Client of many"), ("bi:read", "bi:write"))
    await sign_ins.clients.redeem(code.reveal())
    return person


def app_of(apps: PeoplesApps, person: Person) -> App:
    """The app that serves this person's calls."""
    with called_by(Caller(person=person)):
        return apps.current()
