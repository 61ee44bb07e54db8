"""Servers to which people sign in, on real sockets of this process, with practice portals as Bitrix24."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import httpx2
from mcp.server import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.app.replicas.shared import Shared
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings, LocalPortalSettings, Settings
from bi_mcp.practice import sample
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.oauth import RegisteredApplication
from bi_mcp.practice.portal.users import PortalUser
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import open_http_app
from tests.auth.command import free_port
from tests.practice.portal.calling import ORIGIN, Caller, Connector
from tests.practice.portal.serving import served
from tests.server.http.sign_in.browsing import Browser, Page
from tests.server.http.sign_in.flow import HandMadeClient

IVAN = PortalUser(id=1, name="Ivan", last_name="Orlov", administrator=True, departments=(1,))
ANNA = PortalUser(id=7, name="Anna", last_name="Petrova", departments=(3,), sees_all=False)
BORIS = PortalUser(id=8, name="Boris", last_name="Volkov", departments=(5,), sees_all=False)
VERA = PortalUser(id=9, name="Vera", last_name="Belova", departments=(5,), may_change=False)
USERS = (IVAN, ANNA, BORIS, VERA)
SHARED_KEY = "a-shared-key-of-the-two-replicas"


@dataclass
class Overheard:
    """An ASGI app that notes the addresses at which it is asked, with their queries."""

    app: ASGIApp
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
        await self.app(scope, receive, send)


@dataclass
class PracticePortal:
    """A practice portal that is served at `host` (`host:port`), and the application registered there."""

    host: str
    app: Any
    overheard: Overheard
    card: RegisteredApplication

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def caller(self, user: PortalUser) -> Caller:
        """Call the portal itself as this user, through the same application."""
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://portal.localhost/rest/"
        )
        return Caller(http, self.app.state.tokens.issue(self.card, user.id)["access_token"])

    @property
    def exchanges(self) -> list[str]:
        """What its token endpoint was asked."""
        return [asked for asked in self.overheard.asked if asked.startswith("/oauth/token/")]


@asynccontextmanager
async def practice_portal(
    handler: str, users: Sequence[PortalUser] = USERS, *, scope: str = "biconnector,user_brief"
) -> AsyncIterator[PracticePortal]:
    """Serve a portal with an application that returns to `handler`."""
    settings = LocalPortalSettings(faults=True)
    connectors: dict[str, ASGIApp] = {sample.ORIGIN: sample.create_app(), ORIGIN: Connector()}
    app = create_app(settings, connectors=connectors, users=users)
    card = app.state.tokens.register("bi-mcp", handler, scope=scope)
    async with served(overheard := Overheard(app)) as host:
        yield PracticePortal(host, app, overheard, card)


@dataclass
class Hosted:
    """A server at `origin`, whose portals are `portals`; `replicas` are where it is really reached (`host:port`)."""

    origin: str
    portals: list[PracticePortal]
    sign_ins: list[SignIns]
    replicas: list[str]
    transport: httpx2.AsyncBaseTransport | None = None
    opened: list[httpx2.AsyncClient] = field(default_factory=list)

    @property
    def portal(self) -> PracticePortal:
        return self.portals[0]

    @property
    def host(self) -> str:
        return self.origin.partition("://")[2]

    def browser(self) -> Browser:
        """The browser of one person."""
        hosts = [self.host, *self.replicas, *(portal.host for portal in self.portals)]
        browser = Browser(hosts, transport=self.transport)
        self.opened.append(browser.http)
        return browser

    def http(self) -> httpx2.AsyncClient:
        """A program's HTTP client, closed with the server."""
        self.opened.append(httpx2.AsyncClient(transport=self.transport, timeout=60, trust_env=False))
        return self.opened[-1]

    def client(self, **facts: Any) -> HandMadeClient:
        """A client that is not registered yet."""
        return HandMadeClient(self.origin, self.http(), **facts)

    async def connect(self, user: PortalUser, *, rights: str = "write", **facts: Any) -> Connected:
        """Let a person connect a client of their own, in a browser of their own."""
        client = self.client(**facts)
        assert (await client.register()).is_success
        browser = self.browser()
        ended = await agree(browser, await browser.open(client.address()), user, rights=rights)
        assert ended.left, (ended.status, ended.words)
        tokens = (await client.exchange(ended.answer["code"])).json()
        return Connected(client, browser, tokens)


@dataclass
class Connected:
    """A client that a person connected, with its tokens as the token endpoint answered them."""

    client: HandMadeClient
    browser: Browser
    tokens: dict[str, Any]

    @property
    def access(self) -> str:
        return str(self.tokens["access_token"])

    @property
    def refresh(self) -> str:
        return str(self.tokens["refresh_token"])


@asynccontextmanager
async def hosting(
    folder: Path,
    *,
    portals: int = 1,
    replicas: int = 1,
    redis: str | None = None,
    users: Sequence[PortalUser] = USERS,
    allowed: Mapping[str, frozenset[int]] | None = None,
    resource_port: int | None = None,
) -> AsyncIterator[Hosted]:
    """Serve; `allowed` are `users` or `departments` who may sign in."""
    port = resource_port or free_port()
    origin = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        served_portals = [
            await stack.enter_async_context(practice_portal(f"{origin}/sign-in/return", users))
            for _ in range(portals)
        ]
        configured = [_configured(portal, allowed or {}) for portal in served_portals]
        options = HttpOptions(
            port=port,
            settings=_settings(redis),
            portals=tuple(configured),
            configuration_folder=folder,
        )
        hosted = Hosted(origin, served_portals, [], [])
        for number in range(replicas):
            sign_ins, app = await stack.enter_async_context(_replica(options, folder))
            address = await stack.enter_async_context(served(app, port=port if number == 0 else 0))
            hosted.sign_ins.append(sign_ins)
            hosted.replicas.append(address)
        try:
            yield hosted
        finally:
            for http in hosted.opened:
                await http.aclose()


def _settings(redis: str | None) -> HttpSettings:
    if redis is None:
        return HttpSettings()
    return HttpSettings(shared_store=Secret(redis), shared_key=Secret(SHARED_KEY))


def _configured(portal: PracticePortal, allowed: Mapping[str, frozenset[int]]) -> SignInPortal:
    return SignInPortal(
        url=portal.url,
        client_id=portal.card.client_id,
        client_secret=Secret(portal.card.client_secret),
        users=allowed.get("users", frozenset()),
        departments=allowed.get("departments", frozenset()),
    )


@asynccontextmanager
async def _replica(options: HttpOptions, folder: Path) -> AsyncIterator[tuple[SignIns, ASGIApp]]:
    """Open a server as `bi-mcp serve` does. It does not keep to the limits of Bitrix24: no test waits for its turn."""
    opened: list[SignIns] = []

    def build(shared: Shared | None, sign_ins: SignIns | None) -> MCPServer:
        assert sign_ins is not None
        opened.append(sign_ins)
        settings = Settings(configuration_folder=folder, limits="off")
        return build_server(settings, shared=shared, sign_ins=sign_ins)

    async with open_http_app(build, options) as app:
        inner = app._app
        async with inner.router.lifespan_context(inner):
            yield opened[0], app
            app.begin()


async def agree(
    browser: Browser, page: Page, user: PortalUser, *, rights: str = "write", portal: str | None = None
) -> Page:
    """Do what a person does who wants this: from the consent page on, to the client."""
    return await allow(browser, await consent(browser, page, rights=rights, portal=portal), user)


async def consent(browser: Browser, page: Page, *, rights: str = "write", portal: str | None = None) -> Page:
    """Agree on the consent page, and go on to the portal."""
    chosen = {"rights": rights} | ({"portal": portal} if portal else {})
    choices = page.form_with("Continue to Bitrix24").choices
    fields = {name: value for name, value in chosen.items() if name in choices}
    return await browser.press(page, "Continue to Bitrix24", **fields)


async def allow(browser: Browser, page: Page, user: PortalUser) -> Page:
    """Log in to the portal as this user, unless that is who is logged in, and allow the application."""
    if page.says("Allow") and user.full_name not in page.words:
        page = await browser.press(page, "Log in as somebody else")
    if not page.says("Allow"):
        page = await browser.press(page, user.full_name)
    return await browser.press(page, "Allow")
