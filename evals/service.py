"""Connector services of a world: real HTTP endpoints over tables, each of which may misbehave in one declared way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.keys import AccessKey, hash_key
from bi_mcp.connector.app import build_app
from bi_mcp.connector.opening import open_source
from bi_mcp.connector.options import SourceOptions
from bi_mcp.practice.sample import ENDPOINTS, create_app

LOGIN = "bi_reader"
PARAMETERS = (
    {"code": "login", "name": "Login", "type": "STRING"},
    {"code": "password", "name": "Password", "type": "STRING"},
)
KEY_PARAMETERS = (
    {"code": "source", "name": "Source", "type": "STRING"},
    {"code": "key", "name": "Key", "type": "STRING"},
)


@dataclass(frozen=True)
class Question:
    """A request to an endpoint, how often it was asked before, and the healthy answer to it."""

    form: str
    asked: int
    healthy: httpx.Response


Fault: TypeAlias = Callable[[Question], Response]


@dataclass
class ConnectorService:
    """A service whose tables are CSV files. `faults` are by endpoint; `asked` counts requests by endpoint."""

    folder: Path
    password: str
    culture: str = "ru"
    faults: dict[str, Fault] = field(default_factory=dict)
    address: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    _app: ASGIApp | None = None

    def write_tables(self, tables: Mapping[str, str]) -> None:
        """Serve these tables, CSV by name, instead of the present ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.folder.iterdir():
            file.unlink()
        for name, rows in tables.items():
            (self.folder / f"{name}.csv").write_text(rows.strip() + "\n", encoding="utf-8")
        self._app = None

    def change_password(self, password: str) -> None:
        """Accept this password only."""
        self.password = password
        self._app = None

    @property
    def urls(self) -> dict[str, str]:
        """The four addresses, as a connector holds them."""
        return {endpoint: f"{self.address}{path}" for endpoint, path in ENDPOINTS.items()}

    @property
    def app(self) -> ASGIApp:
        """The healthy service."""
        if self._app is None:
            self._app = create_app(
                self.folder, login=LOGIN, password=Secret(self.password), culture=self.culture
            )
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        endpoint = next((name for name, path in ENDPOINTS.items() if path == scope["path"]), "")
        body = await request.body()
        healthy = await self._ask(scope["path"], body, request.headers.get("content-type", ""))
        asked = self.asked.get(endpoint, 0)
        self.asked[endpoint] = asked + 1
        fault = self.faults.get(endpoint, _as_it_is)
        await fault(Question(unquote_plus(body.decode()), asked, healthy))(scope, receive, send)

    async def _ask(self, path: str, body: bytes, kind: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.localhost") as client:
            return await client.post(path, content=body, headers={"Content-Type": kind})


def _as_it_is(question: Question) -> Response:
    return Response(question.healthy.content, question.healthy.status_code)


def answer_always(body: object, status: int = 200) -> Fault:
    """Build a fault: the same answer to everything."""
    return lambda _: Response(body if isinstance(body, str | bytes) else json.dumps(body), status)


def fail_in_turns(status: int) -> Fault:
    """Build a fault: every second request fails."""
    return lambda question: Response("", status) if question.asked % 2 else _as_it_is(question)


def refuse_forms(pattern: str, status: int) -> Fault:
    """Build a fault: requests whose form has something of this pattern are refused."""
    return lambda question: (
        Response("Bad request", status) if re.search(pattern, question.form) else _as_it_is(question)
    )


def write_values(code: str, change: Callable[[Any], Any]) -> Fault:
    """Build a fault of `urlData`: the values of one column are written differently."""

    def fault(question: Question) -> Response:
        if question.healthy.status_code != 200:
            return _as_it_is(question)
        header, *rows = question.healthy.json()
        if code in header:
            place = header.index(code)
            rows = [[*row[:place], change(row[place]), *row[place + 1 :]] for row in rows]
        return Response(json.dumps([header, *rows], ensure_ascii=False).encode())

    return fault


def encode_differently(encoding: str) -> Fault:
    """Build a fault: the text leaves in another encoding than UTF-8."""

    def fault(question: Question) -> Response:
        if question.healthy.status_code != 200:
            return _as_it_is(question)
        return Response(json.dumps(question.healthy.json(), ensure_ascii=False).encode(encoding))

    return fault


def build_database_service(file: Path, name: str, key: str) -> ASGIApp:
    """Build the project's own connector over a SQLite file, opened by a key."""
    source = open_source(Secret(f"sqlite:///{file}"), SourceOptions())
    return build_app({name: source}, [AccessKey(hash_key(Secret(key)))])
