"""A local portal with an application that someone has logged in to, and what its OAuth server was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.profiles import Profile
from bi_mcp.auth.session import TokenSession
from bi_mcp.auth.session_login import login_of_profile
from bi_mcp.auth.store import FileTokenStore, TokenStore
from bi_mcp.auth.token import Application, Grant, parse_token
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.identity import FIXED_USER
from bi_mcp.practice.portal.oauth import RegisteredApplication as Card
from bi_mcp.rest import BIConnector
from bi_mcp.rest.transport import HttpTransport

ADDRESS = "http://localhost"
NAME = "acme"
USER = FIXED_USER
HOUR = 3600


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class OAuthRequests:
    """An ASGI app around a portal: remembers how its OAuth server answered each grant."""

    app: ASGIApp
    answered: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/oauth/token/"):
            await self.app(scope, receive, send)
            return
        grant = parse_qs(scope["query_string"].decode())["grant_type"][0]

        async def remember(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.answered.append((grant, message["status"]))
            await send(message)

        await self.app(scope, receive, remember)

    @property
    def refreshes(self) -> int:
        """How many refresh tokens were exchanged with success."""
        return self.answered.count(("refresh_token", 200))


class LoginPortal:
    """`clock` is the portal's; `address` is where it is reached: by default in this process, without a socket."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.inner: Starlette = create_app(LocalPortalSettings(), clock=clock)
        self.app = OAuthRequests(self.inner)
        self.tokens = self.inner.state.tokens
        self.card: Card = self.tokens.register("bi-mcp", "http://127.0.0.1:8776/")

    @property
    def refreshes(self) -> int:
        return self.app.refreshes

    def application(self, address: str = ADDRESS) -> Application:
        return Application(self.card.client_id, Secret(self.card.client_secret), address)

    def grant(self, now: float, address: str = ADDRESS) -> Grant:
        """What a login at `now` gives."""
        return Grant(self.application(address), parse_token(self.tokens.issue(self.card, USER), now))

    def accepts(self, token: Secret) -> bool:
        return bool(self.tokens.caller_of(token.reveal()).user_id == USER)

    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.app)

    def session(self, store: TokenStore, clock: Callable[[], float]) -> TokenSession:
        """What one process holds."""
        used = profile()
        client = OAuthClient(login=used.advise_login(), clock=clock, transport=self.transport())
        return TokenSession(login_of_profile(used), store, client, clock)

    def bi(self, session: TokenSession) -> BIConnector:
        return BIConnector(HttpTransport(ADDRESS, session, app=self.app))


def profile(address: str = ADDRESS) -> Profile:
    return Profile(name=NAME, portal_url=address, client_id="local.1", oauth_server=address)


async def stored(folder: Path, grant: Grant) -> FileTokenStore:
    """A store that holds the grant."""
    store = FileTokenStore(folder)
    await store.save(NAME, grant)
    return store


async def allow(browser: httpx.AsyncClient, address: str) -> str:
    """Open the portal's page as a person does, say yes, and return the address that the browser is sent to."""
    page = await browser.get(address)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket is not None
    asked: Mapping[str, str] = dict(httpx.URL(address).params)
    form = {**asked, "ticket": unescape(ticket[1]), "decision": "allow"}
    answer = await browser.post(str(httpx.URL(address).copy_with(query=None)), data=form)
    assert answer.status_code == 302
    return str(answer.headers["location"])
