"""The whole command: many clients at once, an orderly end, refusals as a person reads them."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.practice.portal import create_app
from tests.practice.portal.serving import served
from tests.server.conftest import Era
from tests.server.http.certificate import make_certificate
from tests.server.http.processes import serving
from tests.server.http.serving import LIMIT_S, client, http_client
from tests.server.processes import ran
from tests.server.talking import Talk

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("servers for a team, as processes")]

PORTAL_TOKEN = "token-of-the-tests"
TOKEN = "a-token-of-exactly-32-characters"


class Gate:
    """A portal whose answers to `connector.list` wait until they are let go."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.arrived = anyio.Event()
        self.opened = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Request(scope).url.path.endswith("connector.list"):
            self.arrived.set()
            await self.opened.wait()
        await self._app(scope, receive, send)


@asynccontextmanager
async def gated_portal() -> AsyncIterator[tuple[Gate, dict[str, str]]]:
    """The portal, and the variables that point a server at it."""
    gate = Gate(create_app(LocalPortalSettings(access_token=Secret(PORTAL_TOKEN))))
    async with served(gate) as address:
        yield gate, {"BI_MCP_PORTAL_URL": f"http://{address}", "BI_MCP_ACCESS_TOKEN": PORTAL_TOKEN}


async def refuses_connections(address: str) -> None:
    host, _, port = address.partition(":")
    while True:
        try:
            async with await anyio.connect_tcp(host, int(port)):
                await anyio.lowlevel.checkpoint()
        except OSError:
            return


async def test_a_call_that_runs_when_the_signal_comes_is_answered(tmp_path: Path, era: Era) -> None:
    with anyio.fail_after(LIMIT_S):
        async with gated_portal() as (portal, variables), serving(tmp_path, **variables) as server:
            async with client(server.address, era=era) as connected, anyio.create_task_group() as group:

                async def end_meanwhile() -> None:
                    await portal.arrived.wait()
                    server.process.send_signal(signal.SIGTERM)
                    await refuses_connections(server.address)
                    portal.opened.set()

                # The client asks for the schemas of answers, which it could not do afterwards.
                await connected.list_tools()
                group.start_soon(end_meanwhile)
                listed = await Talk(connected).done("connector_list")
            code, errors = await server.ended()
    assert listed["items"] == []
    assert code == 0
    assert errors == ""


async def test_idle_clients_do_not_hold_up_the_end(tmp_path: Path, era: Era) -> None:
    with anyio.fail_after(LIMIT_S):
        async with serving(tmp_path) as server, client(server.address, era=era) as connected:
            await connected.list_tools()
            server.process.send_signal(signal.SIGTERM)
            code, errors = await server.ended()
    assert code == 0
    assert errors == ""


@pytest.mark.campaign("many processes or clients at once")
async def test_many_clients_at_once_are_served(tmp_path: Path) -> None:
    ids: list[int] = []

    async def work(address: str, number: int) -> None:
        async with client(address, TOKEN, "auto" if number % 2 else "legacy") as connected:
            talk = Talk(connected)
            id = await talk.add_connector(f"Connector {number}")
            assert (await talk.done("connector_get", id=id))["item"]["title"] == f"Connector {number}"
            ids.append(id)

    with anyio.fail_after(LIMIT_S):
        async with (
            serving(tmp_path, BI_MCP_HTTP_TOKEN=TOKEN) as server,
            anyio.create_task_group() as group,
        ):
            for number in range(32):
                group.start_soon(work, server.address, number)
    assert len(set(ids)) == 32


async def test_it_starts_beyond_loopback_once_it_is_protected(tmp_path: Path) -> None:
    options = ("--host", "0.0.0.0", "--allow-host", "bi.example", "--behind-proxy")
    async with serving(tmp_path, *options, BI_MCP_HTTP_TOKEN=TOKEN) as server:
        address = server.address.replace("0.0.0.0", "127.0.0.1")
        async with http_client(address, TOKEN) as http:
            assert (await http.get("/health")).status_code == 200


async def test_a_refusal_names_every_reason_and_no_stack_trace(tmp_path: Path) -> None:
    finished = await ran(tmp_path, "serve", "--http", "--host", "0.0.0.0")
    errors = finished.stderr.decode()
    assert finished.returncode == 1
    assert errors.startswith("Error: bi-mcp does not start on 0.0.0.0 port 8765:")
    for name in ("BI_MCP_HTTP_TOKEN", "--allow-host", "--tls-cert", "--behind-proxy"):
        assert name in errors
    assert "Traceback" not in errors


async def test_a_certificate_that_cannot_be_used_is_named_before_anything_opens(tmp_path: Path) -> None:
    pem, key = make_certificate(tmp_path)
    missing = await ran(tmp_path, "serve", "--http", "--tls-cert", "nowhere.pem", "--tls-key", str(key))
    garbage = await ran(tmp_path, "serve", "--http", "--tls-cert", str(key), "--tls-key", str(pem))
    for finished in (missing, garbage):
        assert finished.returncode == 1
        assert b"--tls-cert and --tls-key cannot be used" in finished.stderr
        assert b"Traceback" not in finished.stderr


async def test_a_shared_store_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    finished = await ran(
        tmp_path,
        *("serve", "--http", "--port", "0"),
        BI_MCP_SHARED_STORE="redis://:hunter2@127.0.0.1:1/0",
        BI_MCP_SHARED_KEY="k" * 32,
    )
    assert finished.returncode == 1
    assert b"BI_MCP_SHARED_STORE" in finished.stderr
    assert b"hunter2" not in finished.stderr
    assert b"Traceback" not in finished.stderr
