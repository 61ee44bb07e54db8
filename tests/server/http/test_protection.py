"""What a hosted server answers to those who are no clients of it: foreign pages, large bodies, load balancers."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import httpx2
import pytest

from bi_mcp import __version__
from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings, Settings
from bi_mcp.rest.client import BIConnector
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from tests.server.conftest import Era
from tests.server.http.certificate import make_certificate
from tests.server.http.serving import HELLO, LIMIT_S, client, hosted, http_client
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

TOKEN = "a-token-of-exactly-32-characters"
_SENT = "authorization,content-type,last-event-id,mcp-method,mcp-name,mcp-protocol-version,mcp-session-id"
TEAM = HttpOptions(
    host="0.0.0.0",
    allowed_hosts=("bi.example",),
    behind_proxy=True,
    settings=HttpSettings(token=Secret(TOKEN)),
)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("bi.example", 200),
        ("bi.example:8443", 200),
        ("BI.Example", 200),
        ("evil.example", 421),
        ("bi.example:8443.evil.example", 421),
        ("bi.example:", 421),
        ("bi.example.evil.example", 421),
        ("127.0.0.1", 421),
    ],
)
async def test_only_the_servers_own_names_are_answered(host: str, status: int) -> None:
    async with hosted(TEAM) as address, http_client(address, TOKEN) as http:
        answer = await http.post("/mcp", json=HELLO, headers={"Host": host})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://bi.example", 200),
        ("https://bi.example:8443", 200),
        ("https://BI.example", 200),
        ("https://bi.example:443.evil.example", 403),
        ("http://bi.example", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_pages_of_other_sites_are_turned_away(origin: str, status: int) -> None:
    async with hosted(TEAM) as address, http_client(address, TOKEN) as http:
        answer = await http.post("/mcp", json=HELLO, headers={"Host": "bi.example", "Origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9999", 200),
        ("127.0.0.1", 200),
        ("[::1]", 200),
        ("127.0.0.1:80.evil.example", 421),
        ("localhost:80@evil.example", 421),
        ("localhost.evil.example", 421),
        ("[::1]:80:80", 421),
    ],
)
async def test_on_loopback_its_names_are_answered_with_and_without_a_port(host: str, status: int) -> None:
    async with hosted(HttpOptions()) as address, http_client(address) as http:
        answer = await http.post("/mcp", json=HELLO, headers={"Host": host})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8765", 200),
        ("HTTP://LocalHost:8765", 200),
        ("http://localhost:6274", 403),
        ("http://localhost", 403),
        ("http://127.0.0.1:8765", 403),
        ("https://localhost:8765", 403),
        ("http://localhost:8765.evil.example", 403),
    ],
)
async def test_on_loopback_only_the_page_of_the_same_port_may_call(origin: str, status: int) -> None:
    async with hosted(HttpOptions()) as address, http_client(address) as http:
        answer = await http.post("/mcp", json=HELLO, headers={"Host": "localhost:8765", "Origin": origin})
    assert answer.status_code == status


async def test_a_page_that_was_allowed_may_call_and_read_what_a_browser_must_permit() -> None:
    options = replace(TEAM, allowed_origins=("https://Chat.example/", "http://localhost:6274"))
    page = {"Host": "bi.example", "Origin": "https://chat.example"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": _SENT}
    async with hosted(options) as address, http_client(address) as http:
        allowed = await http.options("/mcp", headers=page | asked)
        local = await http.options("/mcp", headers=page | asked | {"Origin": "http://localhost:6274"})
        foreign = await http.options("/mcp", headers=page | asked | {"Origin": "https://evil.example"})
        unknown = await http.post("/mcp", json=HELLO, headers=page)
        token = {"Authorization": f"Bearer {TOKEN}"}
        known = await http.post("/mcp", json=HELLO, headers=page | token)
        evil = await http.post("/mcp", json=HELLO, headers=page | token | {"Origin": "https://evil.example"})
    assert allowed.status_code == 200
    assert {
        name.strip() for name in allowed.headers["access-control-allow-headers"].lower().split(",")
    } >= set(_SENT.split(","))
    assert local.headers["access-control-allow-origin"] == "http://localhost:6274"
    assert foreign.status_code == 400
    assert "access-control-allow-origin" not in foreign.headers
    assert unknown.status_code == 401
    assert unknown.headers["access-control-allow-origin"] == "https://chat.example"
    assert known.status_code == 200
    assert "mcp-session-id" in known.headers["access-control-expose-headers"].lower()
    assert evil.status_code == 403
    assert "access-control-allow-origin" not in evil.headers


async def test_without_an_allowed_page_no_browser_is_told_that_it_may_call() -> None:
    async with hosted(TEAM) as address, http_client(address, TOKEN) as http:
        answer = await http.post(
            "/mcp", json=HELLO, headers={"Host": "bi.example", "Origin": "https://bi.example"}
        )
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_path_with_a_slash_at_its_end_is_served_and_not_redirected() -> None:
    async with hosted(TEAM) as address, http_client(address, TOKEN) as http:
        answer = await http.post("/mcp/", json=HELLO, headers={"Host": "bi.example"})
    async with hosted(TEAM) as address, http_client(address) as http:
        unknown = await http.post("/mcp/", json=HELLO, headers={"Host": "bi.example"})
    assert answer.status_code == 200
    assert unknown.status_code == 401


async def test_a_body_over_the_limit_is_not_read(era: Era) -> None:
    options = HttpOptions(max_request_bytes=2000)
    with anyio.fail_after(LIMIT_S):
        async with hosted(options) as address:
            async with client(address, era=era) as connected:
                assert (await Talk(connected).done("connector_list"))["items"] == []
            async with http_client(address) as http:
                said = await http.post("/mcp", json=HELLO | {"params": {"filler": "x" * 2000}})
                unsaid = await http.post(
                    "/mcp", content=_parts(), headers={"Content-Type": "application/json"}
                )
    assert said.status_code == 413
    assert unsaid.status_code == 413


async def _parts() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield b"x" * 1000


async def test_health_needs_no_token_no_name_and_no_portal() -> None:
    def unreachable() -> BIConnector:
        raise AssertionError("the portal was asked")

    server = build_server(Settings(), connect=unreachable)
    async with hosted(TEAM, server=server) as address, http_client(address) as http:
        answer = await http.get("/health", headers={"Host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize("path", ["/", "/mcp", "/docs", "/.well-known/oauth-protected-resource/mcp"])
async def test_nothing_else_is_answered_without_a_token(path: str) -> None:
    async with hosted(TEAM) as address, http_client(address) as http:
        assert (await http.get(path)).status_code == 401


async def test_clients_talk_tls_to_it(tmp_path: Path, era: Era) -> None:
    pem, key = make_certificate(tmp_path)
    options = HttpOptions(tls_certificate=pem, tls_key=key, settings=HttpSettings(token=Secret(TOKEN)))
    trusting = ssl.create_default_context(cafile=pem)
    with anyio.fail_after(LIMIT_S):
        async with hosted(options) as address:
            http = httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {TOKEN}"}, verify=trusting, trust_env=False
            )
            async with client(address, era=era, http=http, scheme="https") as connected:
                assert await Talk(connected).add_connector() > 0
