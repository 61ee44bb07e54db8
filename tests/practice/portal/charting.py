"""A portal whose charts are opened on a connector that remembers what it hears."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import Culture, Generation, LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.practice.portal.chart_question import ChartCondition, ChartQuestion
from bi_mcp.practice.portal.charts import Chart
from tests.practice.portal.calling import ORIGIN, TOKEN, WEBHOOK, Caller, add_dataset

PASSWORD = "canary-password"
# Codes and names differ, so that a mistaken one shows.
COLUMNS = (
    {"name": "CARRIER", "externalCode": "airline", "type": "string"},
    {"name": "DELAY", "externalCode": "dep_delay", "type": "int"},
    {"name": "DAY", "externalCode": "flown_on", "type": "date"},
    {"name": "MOMENT", "externalCode": "flown_at", "type": "datetime"},
    {"name": "PRICE", "externalCode": "price", "type": "double"},
)
CODES = [column["externalCode"] for column in COLUMNS]
NAMES = [column["name"] for column in COLUMNS]
ROW = ["UA", 5, "2025-12-31", "2025-12-31 23:59:59", 9.5]


@dataclass
class Recorder:
    """A connector that answers `urlData` with the same rows, and keeps the pairs of each form in their order."""

    body: bytes = b""
    status: int = 200
    forms: list[list[tuple[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not request.url.path.endswith("urlData"):
            await Response("ok")(scope, receive, send)
            return
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = (await request.body()).decode("ascii")
        self.forms.append(parse_qsl(form, keep_blank_values=True, strict_parsing=True))
        await Response(self.body, self.status)(scope, receive, send)


@dataclass
class ChartPortal:
    """A portal with one dataset, `orders` of table `flights`."""

    app: Any
    caller: Caller
    recorder: Recorder
    dataset: int

    async def open(self, **parts: Any) -> Chart:
        """Open a chart on the dataset."""
        chart: Chart = await self.app.state.charts.open(ChartQuestion(self.dataset, **parts))
        return chart

    def answers(self, *rows: Sequence[object]) -> None:
        """Let the connector answer these rows, the header first."""
        self.recorder.body = json.dumps(rows).encode()

    def heard(self) -> list[tuple[str, str]]:
        """The last form, without the table, the map of names and the connection."""
        left_out = ("table", "mapFields[", "connection[")
        return [pair for pair in self.recorder.forms[-1] if not pair[0].startswith(left_out)]


@asynccontextmanager
async def chart_portal(
    generation: Generation = "tables",
    culture: Culture = "ru",
    *,
    columns: Sequence[dict[str, str]] = COLUMNS,
    connector: ASGIApp | None = None,
) -> AsyncIterator[ChartPortal]:
    recorder = Recorder(json.dumps([CODES if generation == "tables" else NAMES, ROW]).encode())
    settings = LocalPortalSettings(
        generation=generation, culture=culture, access_token=Secret(TOKEN), webhook=Secret(WEBHOOK)
    )
    app = create_app(settings, connectors={ORIGIN: connector or recorder})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        caller = Caller(http)
        dataset = await add_dataset(caller, externalCode="flights", fields=list(columns))
        await caller.result(
            "biconnector.source.update",
            id=1,
            fields={"title": "Shop one", "settings": {"login": PASSWORD, "port": 8080}},
        )
        yield ChartPortal(app, caller, recorder, dataset)


def where(column: str, operator: Any, *values: str, exclude: bool = False) -> ChartCondition:
    return ChartCondition(column, operator, values, exclude)
