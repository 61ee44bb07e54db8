"""A portal under test, reached over HTTP, with a connector that it may call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import ErrorPlace, Generation, LocalPortalSettings
from bi_mcp.practice.portal import create_app

TOKEN = "fixed-token"
WEBHOOK = "7/fixed-secret"
ORIGIN = "http://connector.localhost"
NOON = 1_700_000_000.0


@dataclass
class Connector:
    """An external system: answers what it is told to, and remembers the bodies that it received."""

    status: int = 200
    body: str = "ok"
    received: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
        self.received.append({name: values[0] for name, values in form.items()})
        await Response(self.body, self.status)(scope, receive, send)


@dataclass
class Clock:
    """A clock that stands still until someone moves it."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """One application (or webhook) at work on a portal."""

    http: httpx.AsyncClient
    token: str | None = TOKEN

    async def post(self, method: str, **parameters: object) -> httpx.Response:
        auth = {} if self.token is None else {"auth": self.token}
        return await self.http.post(method, json={**auth, **parameters})

    async def result(self, method: str, **parameters: object) -> Any:
        answer = await self.post(method, **parameters)
        body = answer.json()
        assert answer.status_code == 200, body
        assert "error" not in body, body
        result = body["result"]
        assert not (isinstance(result, dict) and "error" in result), result
        return result

    async def refusal(self, method: str, **parameters: object) -> dict[str, str]:
        """Return the error that stands inside `result`."""
        answer = await self.post(method, **parameters)
        assert answer.status_code == 200, answer.text
        error: dict[str, str] = answer.json()["result"]["error"]
        return error

    async def code(self, method: str, **parameters: object) -> str:
        return (await self.refusal(method, **parameters))["error"]


@dataclass
class Portal:
    """The app with its clock and connector; `caller` belongs to the application of the fixed token."""

    app: Any
    clock: Clock
    connector: Connector
    caller: Caller

    def other_application(self) -> Caller:
        """Return a caller of an application of its own, with an issued token."""
        application = self.app.state.tokens.register("Other", "https://other.example/")
        issued = self.app.state.tokens.issue(application, 5)
        return Caller(self.caller.http, issued["access_token"])


def portal_app(
    generation: Generation = "tables",
    *,
    errors: ErrorPlace = "result",
    database: str = ":memory:",
    clock: Clock | None = None,
    connectors: Mapping[str, ASGIApp] | None = None,
) -> Any:
    settings = LocalPortalSettings(
        database=database,
        generation=generation,
        errors=errors,
        access_token=Secret(TOKEN),
        webhook=Secret(WEBHOOK),
    )
    return create_app(settings, clock=clock or Clock(), connectors=connectors)


@asynccontextmanager
async def a_portal(
    generation: Generation = "tables", *, errors: ErrorPlace = "result", database: str = ":memory:"
) -> AsyncIterator[Portal]:
    clock, connector = Clock(), Connector()
    app = portal_app(
        generation, errors=errors, database=database, clock=clock, connectors={ORIGIN: connector}
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        yield Portal(app, clock, connector, Caller(http))


def connector_fields(**changes: object) -> dict[str, object]:
    urls = {
        name: f"{ORIGIN}/{name}" for name in ("urlCheck", "urlTableList", "urlTableDescription", "urlData")
    }
    settings = [
        {"code": "login", "name": "Login", "type": "STRING"},
        {"code": "port", "name": "Port", "type": "INT"},
    ]
    return {"title": "Shop", "logo": "data:image/png;base64,", **urls, "settings": settings, **changes}


def source_fields(connector_id: int, **changes: object) -> dict[str, object]:
    settings = {"login": "ann", "port": 8080}
    return {"title": "Shop one", "connectorId": connector_id, "settings": settings, **changes}


def dataset_fields(source_id: int, **changes: object) -> dict[str, object]:
    columns = [
        {"name": "ID", "externalCode": "id", "type": "int"},
        {"name": "TITLE", "externalCode": "title", "type": "string"},
    ]
    return {
        "name": "orders",
        "sourceId": source_id,
        "externalCode": "orders",
        "externalName": "Orders",
        "fields": columns,
        **changes,
    }


async def add_connector(caller: Caller, **changes: object) -> int:
    added = await caller.result("biconnector.connector.add", fields=connector_fields(**changes))
    return int(added["id"])


async def add_source(caller: Caller, **changes: object) -> int:
    connector_id = await add_connector(caller)
    added = await caller.result("biconnector.source.add", fields=source_fields(connector_id, **changes))
    return int(added["id"])


async def add_dataset(caller: Caller, **changes: object) -> int:
    source_id = await add_source(caller)
    added = await caller.result("biconnector.dataset.add", fields=dataset_fields(source_id, **changes))
    return int(added["id"])
