"""A server to which people sign in, alone: without a portal, for what goes wrong before anybody gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bi_mcp.app.sign_in.connected_clients import ConnectedClients
from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.app.sign_in.documents import Documents
from bi_mcp.app.sign_in.portal_logins import PortalLogins
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.app.sign_in.sign_ins import SignIns
from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from bi_mcp.server.http.app import build_http_app
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.sign_in.provider import Documented
from bi_mcp.server.http.sign_in.routes import build_sign_in
from tests.auth.command import free_port
from tests.practice.portal.serving import served
from tests.server.http.sign_in.browsing import Browser
from tests.server.http.sign_in.flow import HandMadeClient

ACME = SignInPortal(url="https://acme.example", client_id="local.1", client_secret=Secret("hunter2"))
BETA = SignInPortal(
    url="https://beta.example", client_id="local.2", client_secret=Secret("hunter3"), title="Beta & Sons"
)


class Undocumented:
    """No document describes a client, and none is looked for in the network."""

    async def find(self, client_id: str) -> None:  # noqa: ARG002  the interface
        return None

    async def mark_used(self, client_id: str) -> None:
        """Nothing is kept."""


@dataclass
class Site:
    """The server at `origin`."""

    origin: str
    http: httpx2.AsyncClient
    sign_ins: SignIns
    _browsers: list[Browser] = field(default_factory=list)

    def client(self, **facts: str) -> HandMadeClient:
        """A client that is not registered yet."""
        return HandMadeClient(self.origin, self.http, **facts)

    async def registered(self, **facts: str) -> HandMadeClient:
        """A client that is."""
        client = self.client(**facts)
        answer = await client.register()
        assert answer.status_code == 201, answer.text
        return client

    def browser(self) -> Browser:
        """The browser of one person."""
        self._browsers.append(Browser([self.origin.partition("://")[2]]))
        return self._browsers[-1]

    async def aclose(self) -> None:
        for browser in self._browsers:
            await browser.http.aclose()


@asynccontextmanager
async def opened(
    folder: Path,
    *portals: SignInPortal,
    documented: Documented | None = None,
    store: Callable[[Documents], Documents] = lambda documents: documents,
) -> AsyncIterator[Site]:
    """Serve. `store` may put something in front of the documents."""
    documents = store(DocumentFolder(folder))
    sign_ins = SignIns(
        portals={portal.host: portal for portal in portals or (ACME,)},
        documents=documents,
        clients=ConnectedClients(documents),
        logins=PortalLogins(documents),
    )
    options = HttpOptions(port=free_port())
    sign_in = build_sign_in(sign_ins, options, documented=documented or Undocumented())
    app = build_http_app(build_server(Settings()), options, None, sign_in=sign_in)
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=60) as http,
        app.router.lifespan_context(app),
        served(app, port=options.port) as address,
    ):
        site = Site(f"http://{address}", http, sign_ins)
        yield site
        await site.aclose()
