"""Everything that a server lets out, written down in one place and searched for planted secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from mcp import Client, MCPError
from mcp.server import MCPServer
from mcp.types import CallToolResult
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation, LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.credential import AccessToken
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from tests.practice.portal.calling import ORIGIN, Connector
from tests.server.talking import Talk

# Every planted secret begins with this word, so that half of one is found, too; a number has no letters.
CANARY = "canary"
PIN = 8675309123
TOKEN = "canary-access-token"
PASSWORD = "canary-password"
API_TOKEN = "canary-api-token"
LITERAL_KEY = "canary-literal-key"

PARAMETERS = [
    {"code": code, "name": name, "type": type}
    for code, name, type in (
        ("login", "Login", "STRING"),
        ("host", "Host", "STRING"),
        ("password", "Password", "STRING"),
        ("token", "Token", "STRING"),
        ("api_key", "Key", "STRING"),
        ("pin", "Number", "INT"),
    )
]
VALUES = {
    "login": "ann",
    "host": "db.example",
    "password": {"env": "BI_MCP_SECRET_PASSWORD"},
    "token": {"file": "token.txt"},
    "api_key": LITERAL_KEY,
    "pin": PIN,
}
REVEALED = {
    "login": "ann",
    "host": "db.example",
    "password": PASSWORD,
    "token": API_TOKEN,
    "api_key": LITERAL_KEY,
    "pin": str(PIN),
}

Answer = Callable[[str], Response]


class Ear(Talk):
    """A client that writes down what it is told, beside everything that is logged meanwhile."""

    def __init__(self, client: Client, log: io.StringIO) -> None:
        super().__init__(client)
        self.log = log
        self.heard: list[str] = []
        self.called: set[str] = set()

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        result = await super().call(tool, **arguments)
        self.heard.append(result.model_dump_json(by_alias=True))
        self.called.add(tool)
        return result

    async def read(self, uri: str) -> str:
        try:
            text = await super().read(uri)
        except MCPError as error:
            text = "".join(traceback.format_exception(error)) + repr(error) + json.dumps(error.data)
        self.heard.append(text)
        return text

    async def look_around(self) -> None:
        """Ask for everything that a server tells without being asked to do something."""
        client = self.client
        self.heard.append(f"{client.instructions} {client.server_info!r} {client.server_capabilities!r}")
        prompts = await client.list_prompts()
        for listed in (
            await client.list_tools(),
            await client.list_resources(),
            await client.list_resource_templates(),
            prompts,
        ):
            self.heard.append(listed.model_dump_json())
        for prompt in prompts.prompts:
            self.heard.append((await client.get_prompt(prompt.name)).model_dump_json())

    def leaks(self) -> list[str]:
        """Return the surroundings of every planted secret that was heard."""
        return leaks_in(*self.heard, self.log.getvalue())


def leaks_in(*texts: str) -> list[str]:
    secret = re.compile(f".{{0,80}}(?:{CANARY}|{PIN}).{{0,80}}", re.IGNORECASE)
    return [found for text in texts for found in secret.findall(text)]


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Listen to all loggers at DEBUG, stack traces included."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class IndiscreetPortal:
    """A portal that behaves, except for the methods in `instead`: these answer with what was sent to them."""

    def __init__(self, portal: ASGIApp) -> None:
        self._portal = portal
        self.instead: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.instead.get(scope["path"].rpartition("/")[2])
        if answer is None:
            await self._portal(scope, receive, send)
            return
        request = Request(scope, receive)
        sent = (await request.body()).decode()
        await answer(sent)(scope, receive, send)


def shop_fields() -> dict[str, Any]:
    """A connector with the parameters that VALUES fills in."""
    endpoints = ("urlCheck", "urlTableList", "urlTableDescription", "urlData")
    addresses = {name: f"{ORIGIN}/{name}" for name in endpoints}
    return {"title": "Shop", "logo": "https://example.com/logo.png", "settings": PARAMETERS, **addresses}


@dataclass
class Stage:
    """A server that is overheard, the portal behind it, and the connector behind that."""

    ear: Ear
    server: MCPServer
    bi: BIConnector
    portal: IndiscreetPortal
    connector: Connector
    faults: Any

    async def add_connector(self) -> int:
        return int((await self.ear.done("connector_add", fields=shop_fields()))["id"])

    async def add_source(self, connector: int) -> int:
        fields = {"title": "Shop one", "connectorId": connector, "settings": VALUES}
        return int((await self.ear.done("source_add", fields=fields))["id"])


@asynccontextmanager
async def a_stage(
    secrets_folder: Path,
    *,
    mode: Any = "auto",
    generation: Generation = "tables",
    shown: str = "",
    toolsets: tuple[str, ...] = (),
) -> AsyncIterator[Stage]:
    """Build it all. `BI_MCP_SECRET_PASSWORD` must hold PASSWORD; the folder gets the file with API_TOKEN."""
    (secrets_folder / "token.txt").write_text(f"{API_TOKEN}\n", encoding="utf-8")
    connector = Connector()
    app = create_app(
        LocalPortalSettings(generation=generation, access_token=Secret(TOKEN)),
        connectors={ORIGIN: connector},
    )
    app.state.faults.connection_lost = lambda: httpx.ReadError(f"lost {TOKEN}")
    portal = IndiscreetPortal(app)
    bi = BIConnector(HttpTransport("http://localhost", AccessToken(Secret(TOKEN)), app=portal))
    settings = Settings(
        secrets_folder=secrets_folder,
        allow_literal_secrets=True,
        shown_settings=frozenset(shown.split(",")) if shown else frozenset(),
        toolsets=toolsets,
    )
    with everything_logged() as log:
        server = build_server(settings, connect=lambda: bi)
        async with Client(server, mode=mode) as client:
            yield Stage(Ear(client, log), server, bi, portal, connector, app.state.faults)
