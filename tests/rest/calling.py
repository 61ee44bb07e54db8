"""A portal behind the library, called over HTTP without a socket, and what its tests send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import ErrorPlace, Generation, LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector, Credential
from bi_mcp.rest.models import ConnectorFields, DatasetFields, NewColumn, Parameter, SourceFields
from bi_mcp.rest.transport import HttpTransport

LOOPBACK = "http://localhost"
CHECK = "http://check.localhost"
TOKEN = "token-of-the-tests"
WEBHOOK = "7/webhook-of-the-tests"


@dataclass
class UrlCheck:
    """A connector's `urlCheck`: accepts every connection but the password `wrong`."""

    received: list[Mapping[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        form = parse_qs((await request.body()).decode())
        self.received.append({name: values[0] for name, values in form.items()})
        status = 401 if "wrong" in form.get("connection[password]", []) else 200
        await Response("ok", status)(scope, receive, send)


@dataclass
class Recorder:
    """An ASGI app around another: remembers which methods were called, and with what."""

    app: ASGIApp
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        body = await request.body()
        self.bodies.append(body)

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    @property
    def methods(self) -> list[str]:
        """The methods, without the module's prefix."""
        return [request.url.path.rpartition("/")[2].removeprefix("biconnector.") for request in self.requests]


@dataclass
class WithoutDatasets:
    """A portal whose `dataset.*` is gone."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "/biconnector.dataset." not in scope["path"]:
            await self.app(scope, receive, send)
            return
        body = {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}
        await JSONResponse(body, 404)(scope, receive, send)


@dataclass
class Answering:
    """A portal that gives one answer, whatever it is asked."""

    body: bytes | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(self.body, self.status, dict(self.headers))(scope, receive, send)


@dataclass
class Portal:
    """The library at work on a portal. `calls` remembers what reached it, `check` what its connector was sent."""

    bi: BIConnector
    app: Starlette
    calls: Recorder
    check: UrlCheck

    @property
    def faults(self) -> Any:
        return self.app.state.faults


def portal_app(generation: Generation, errors: ErrorPlace, check: ASGIApp) -> Starlette:
    settings = LocalPortalSettings(
        generation=generation, errors=errors, access_token=Secret(TOKEN), webhook=Secret(WEBHOOK)
    )
    app = create_app(settings, connectors={CHECK: check})
    app.state.faults.connection_lost = lambda: httpx.ReadError(f"cut {TOKEN}")
    return app


def connect(app: ASGIApp, credential: Credential | None = None) -> BIConnector:
    return BIConnector(HttpTransport(LOOPBACK, credential or AccessToken(Secret(TOKEN)), app=app))


@asynccontextmanager
async def a_portal(
    generation: Generation = "tables",
    errors: ErrorPlace = "result",
    *,
    credential: Credential | None = None,
    without_datasets: bool = False,
) -> AsyncIterator[Portal]:
    check = UrlCheck()
    app = portal_app(generation, errors, check)
    calls = Recorder(WithoutDatasets(app) if without_datasets else app)
    async with connect(calls, credential) as bi:
        yield Portal(bi, app, calls, check)


def connector_fields(**changes: Any) -> ConnectorFields:
    given: dict[str, Any] = {
        "title": "Shop",
        "logo": "data:image/png;base64,",
        "url_check": f"{CHECK}/check",
        "url_table_list": f"{CHECK}/tables",
        "url_table_description": f"{CHECK}/table",
        "url_data": f"{CHECK}/data",
        "settings": [
            Parameter(code="login", name="Login", type="STRING"),
            Parameter(code="password", name="Password", type="STRING"),
        ],
    }
    return ConnectorFields(**(given | changes))


def source_fields(connector_id: int, password: str = "right") -> SourceFields:
    settings = {"login": Secret("ann"), "password": Secret(password)}
    return SourceFields(title="Shop one", connector_id=connector_id, settings=settings)


def columns(*names: str) -> Sequence[NewColumn]:
    return [NewColumn(name=name, external_code=name.lower(), type="string") for name in names]


def dataset_fields(source_id: int, name: str = "orders") -> DatasetFields:
    return DatasetFields(
        name=name,
        source_id=source_id,
        external_code=name,
        external_name=name.title(),
        fields=list(columns("ID", "TITLE")),
    )


async def add_source(bi: BIConnector) -> int:
    return await bi.sources.add(source_fields(await bi.connectors.add(connector_fields())))


async def add_dataset(bi: BIConnector, name: str = "orders", *, builder_dataset: bool = True) -> int:
    source_id = await add_source(bi)
    return await bi.datasets.add(dataset_fields(source_id, name), builder_dataset=builder_dataset)
