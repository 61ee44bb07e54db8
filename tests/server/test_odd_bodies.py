"""The same messages over HTTP, and headers that do not fit: each answer has a status and words that help."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.types import HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR

from bi_mcp.server.http.options import HttpOptions
from tests.server.conftest import Era
from tests.server.http.processes import serving
from tests.server.http.serving import ACCEPT, HELLO, hosted, http_client
from tests.server.odd_messages import (
    LARGE,
    NO_IDS,
    NO_MESSAGES,
    ODD,
    Error,
    Odd,
    Served,
    Silence,
    request,
)
from tests.server.test_odd_messages import check, named

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("odd messages")]

NEWEST = {"MCP-Protocol-Version": "2026-07-28"}
HANDSHAKE = {"MCP-Protocol-Version": "2025-11-25"}


@dataclass
class Poster:
    """Posts bodies to a server, with the headers that the protocol of an era wants."""

    http: httpx2.AsyncClient
    era: Era
    headers: dict[str, str]

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        sent = {"Content-Type": "application/json", **self.headers, **(headers or {})}
        return await self.http.post("/mcp", content=body, headers=sent)

    async def post_odd(self, odd: Odd) -> httpx2.Response:
        return await self.post(odd.line(self.era), self._names(odd.message))

    def _names(self, message: object) -> dict[str, str]:
        """What the newest protocol repeats in headers."""
        if self.era == "legacy" or not isinstance(message, dict):
            return {}
        params = message.get("params")
        name = params.get("name", params.get("uri")) if isinstance(params, dict) else None
        repeated = {} if name is None else {"Mcp-Name": in_header(str(name))}
        return {"Mcp-Method": str(message.get("method"))} | repeated


def in_header(text: str) -> str:
    """What is not ASCII goes in base64, as the protocol has it."""
    return text if text.isascii() else f"=?base64?{b64encode(text.encode()).decode()}?="


@asynccontextmanager
async def posting(era: Era) -> AsyncIterator[Poster]:
    async with hosted(HttpOptions()) as address, http_client(address) as http:
        poster = Poster(http, era, NEWEST)
        if era == "legacy":
            poster.headers = HANDSHAKE
            answer = await poster.post(json.dumps(HELLO).encode())
            poster.headers = HANDSHAKE | {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"]}
        yield poster


def read(response: httpx2.Response) -> dict[str, Any]:
    """The one message of an answer, be it JSON or a stream of events."""
    lines = [
        line.removeprefix("data: ") for line in response.text.split("\r\n") if line.startswith("data: {")
    ]
    message: dict[str, Any] = json.loads(lines[-1] if lines else response.text)
    return message


@pytest.mark.campaign("odd messages")
async def test_an_odd_body_is_answered_as_it_must_and_the_next_one_is_served(era: Era) -> None:
    async with posting(era) as poster:
        for odd in ODD:
            with named(odd):
                judge(odd, era, await poster.post_odd(odd))
                served = await poster.post_odd(Odd("the next", request(), Served()))
                assert served.status_code == 200


def judge(odd: Odd, era: Era, response: httpx2.Response) -> None:
    if odd in NO_IDS and (era == "legacy" or odd.name == "no id"):
        # The SDK takes it for a notification.
        assert response.status_code == 202
    elif odd in NO_MESSAGES or odd in NO_IDS:
        assert response.status_code == 400
        refused = read(response)
        assert refused["id"] is None
        assert refused["error"]["code"] in {PARSE_ERROR, INVALID_REQUEST}
        assert "pydantic" not in response.text
    elif isinstance(odd.outcome, Silence):
        assert response.status_code in {202, 400}
        assert '"result"' not in response.text
    else:
        answer = read(response)
        assert answer["id"] == odd.answered_id
        check(answer, odd.outcome)


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(era: Era) -> None:
    async with posting(era) as poster:
        for odd in LARGE:
            assert (await poster.post_odd(odd)).status_code == 413


BODY = json.dumps(request()).encode()
MODERN_BODY = Odd("", request(), Served()).line("auto")


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (BODY, {}, 400, Error(INVALID_REQUEST, "Missing session ID")),
        (BODY, {"Mcp-Session-Id": "nope"}, 404, Error(INVALID_REQUEST, "Session not found")),
        (BODY, {"Mcp-Session-Id": "../etc"}, 404, Error(INVALID_REQUEST, "Session not found")),
        (BODY, {"MCP-Protocol-Version": "1999-01-01"}, 400, Error(INVALID_PARAMS, "params._meta")),
        (BODY, NEWEST, 400, Error(INVALID_PARAMS, "params._meta")),
        (MODERN_BODY, HANDSHAKE, 400, Error(INVALID_REQUEST, "Missing session ID")),
        (MODERN_BODY, NEWEST, 400, Error(HEADER_MISMATCH, "mcp-method header")),
        (
            MODERN_BODY,
            NEWEST | {"Mcp-Method": "tools/list"},
            400,
            Error(HEADER_MISMATCH, "mcp-method header"),
        ),
        (BODY, {"Accept": "text/html"}, 406, Error(INVALID_REQUEST, "must accept")),
        (b"", {"Mcp-Session-Id": "nope"}, 404, Error(INVALID_REQUEST, "Session not found")),
        (b"", NEWEST, 400, Error(PARSE_ERROR, "Parse error")),
        (b"\x1f\x8b\x08", NEWEST | {"Content-Encoding": "gzip"}, 400, Error(PARSE_ERROR, "Parse error")),
    ],
)
async def test_headers_that_do_not_fit_are_named(
    body: bytes, headers: dict[str, str], status: int, error: Error
) -> None:
    async with hosted(HttpOptions()) as address, http_client(address) as http:
        sent = ACCEPT | {"Content-Type": "application/json"} | headers
        response = await http.post("/mcp", content=body, headers=sent)
        assert response.status_code == status
        check(read(response), error)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"])
async def test_other_ways_to_ask_are_refused_with_a_reason(method: str) -> None:
    async with hosted(HttpOptions()) as address, http_client(address) as http:
        response = await http.request(method, "/mcp", headers={"Mcp-Session-Id": "nope"})
        assert response.status_code in {404, 405}
        assert read(response)["error"]["message"]


async def test_a_session_that_its_client_ended_is_no_more() -> None:
    async with posting("legacy") as poster:
        assert (await poster.http.delete("/mcp", headers=poster.headers)).status_code == 200
        gone = await poster.post(BODY)
        assert gone.status_code == 404
        check(read(gone), Error(INVALID_REQUEST, "Session not found"))


@pytest.mark.parametrize("version", [NEWEST, HANDSHAKE], ids=["auto", "legacy"])
async def test_a_client_that_hangs_up_in_the_middle_of_a_body_is_no_error_of_the_server(
    version: dict[str, str], tmp_path: Path
) -> None:
    headers = ACCEPT | {"Content-Type": "application/json", "Content-Length": "1000"} | version
    async with serving(tmp_path) as served:
        head = f"POST /mcp HTTP/1.1\r\nHost: {served.address}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        host, port = served.address.split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(f'{head}\r\n{{"jsonrpc": "2.0", '.encode())
        async with http_client(served.address) as http:
            assert (await http.get("/health")).status_code == 200
        served.process.terminate()
        code, errors = await served.ended()
    assert code == 0
    assert "Traceback" not in errors
