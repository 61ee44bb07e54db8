"""The four endpoints over HTTP, and a page for the person who opens them in a browser."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bi_mcp.base.secret import Secret
from bi_mcp.connector.question.brackets import Form, parse_form
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.question.query import parse_query, parse_table, parse_text
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.practice.sample.endpoints import ENDPOINTS
from bi_mcp.practice.sample.page import build_page
from bi_mcp.practice.sample.tables import Row, ServedTables

# A list of 10,000 date-times, each with the whole key before it, takes about one million.
LARGEST_BODY = 4_000_000
ROWS_AT_ONCE = 500

Answer: TypeAlias = Callable[[ServedTables, Form, "Culture | None"], Response]


@dataclass(frozen=True)
class Access:
    """The login and password that a source's settings must give."""

    login: str
    password: Secret

    def check(self, form: Form) -> None:
        connection = form.get("connection")
        if not isinstance(connection, dict):
            raise RefusalError(401, "The request gives no connection[login] and connection[password].")
        login, password = parse_text(connection, "login"), Secret(parse_text(connection, "password"))
        if login != self.login or password != self.password:
            raise RefusalError(401, "The login or the password is wrong.")


def build_sample_app(
    open_tables: Callable[[], ServedTables], access: Access, *, note: str, culture: Culture | None = None
) -> Starlette:
    """Build the connector. `open_tables` is called for each request; `note` describes the data on the page."""

    async def page(request: Request) -> Response:
        return HTMLResponse(build_page(str(request.base_url).rstrip("/"), note))

    def endpoint(path: str, answer: Answer) -> Route:
        async def handle(request: Request) -> Response:
            form = await _read_form(request)
            access.check(form)
            return await run_in_threadpool(lambda: answer(open_tables(), form, culture))

        return Route(path, handle, methods=["POST"])

    return Starlette(
        routes=[Route("/", page), *(endpoint(path, _ANSWERS[field]) for field, path in ENDPOINTS.items())],
        exception_handlers={
            RefusalError: _answer_refusal,
            HTTPException: _answer_unserved,
            sqlite3.Error: _answer_failure,
        },
    )


def _table_list(tables: ServedTables, form: Form, _culture: Culture | None) -> Response:
    wanted = parse_text(form, "searchString").strip().casefold()
    return JSONResponse(
        [
            {"code": code, "title": title}
            for code, title in tables.titles.items()
            if wanted in code.casefold() or wanted in title.casefold()
        ]
    )


_ANSWERS: dict[str, Answer] = {
    "urlCheck": lambda *_: JSONResponse({"status": "ok"}),
    "urlTableList": _table_list,
    "urlTableDescription": lambda tables, form, _: JSONResponse(
        [
            {"code": column.code, "name": column.name, "type": column.type}
            for column in tables.columns(parse_table(form))
        ]
    ),
    "urlData": lambda tables, form, culture: StreamingResponse(
        _json_array(tables.rows(parse_table(form), parse_query(form, culture))),
        media_type="application/json",
    ),
}


def _json_array(rows: Iterator[Row]) -> Iterator[str]:
    before = "["
    while chunk := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield before + json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))[1:-1]
        before = ",\n"
    yield "]"


async def _read_form(request: Request) -> Form:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise RefusalError(415, "Send the parameters as application/x-www-form-urlencoded.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise RefusalError(413, f"A request may hold {LARGEST_BODY} bytes at most.")
    return parse_form(bytes(body))


def _answer_refusal(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusalError) else 500
    return JSONResponse({"error": str(error)}, status_code=status)


def _answer_unserved(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _answer_failure(request, error)
    text = f"{request.method} {request.url.path} is not served here; open / for the four addresses."
    return JSONResponse({"error": text}, status_code=error.status_code, headers=error.headers)


def _answer_failure(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "The data file could not be read just now."}, status_code=500)
