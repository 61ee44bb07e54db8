"""The portal's calls to a connector's `urlCheck`."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bi_mcp.practice.portal import outbound
from bi_mcp.practice.portal.outbound import Outbound
from tests.practice.portal.calling import (
    ORIGIN,
    Caller,
    Connector,
    add_source,
    connector_fields,
    portal_app,
    source_fields,
)
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio


async def _ok(_: Request) -> Response:
    return Response("ok")


async def _redirect(_: Request) -> Response:
    return RedirectResponse("/ok", 307)


SHOP = Starlette(
    routes=[
        Route("/ok", _ok, methods=["POST"]),
        Route("/redirect", _redirect, methods=["POST"]),
    ]
)


@pytest.mark.parametrize(
    ("status", "body", "accepted"),
    [
        (200, "ok", True),
        (200, " ", True),
        (200, '{"error": "refused"}', True),
        (200, "", False),
        (201, "ok", False),
        (302, "ok", False),
        (404, "ok", False),
        (500, "ok", False),
    ],
)
async def test_only_200_with_a_body_counts(status: int, body: str, accepted: bool) -> None:
    connector = Connector(status, body)
    outbound = Outbound({ORIGIN: connector})

    assert await outbound.url_check(f"{ORIGIN}/check", {"a b": "ü&"}) is accepted
    assert connector.received == [{"connection[a b]": "ü&"}]


@pytest.mark.parametrize(
    "url",
    ["", "shop", "/check", "ftp://shop.localhost", "http://", "http://[", "http://x:99999/", "http://\ud800"],
)
async def test_an_address_that_cannot_be_called_is_a_failure(url: str) -> None:
    assert await Outbound({}).url_check(url, {}) is False


async def test_a_connector_that_breaks_is_a_failure() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no shop today")

    assert await Outbound({ORIGIN: broken}).url_check(ORIGIN, {}) is False


async def test_a_connector_that_never_answers_is_given_up() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    assert await Outbound({ORIGIN: silent}, timeout_s=0.01).url_check(ORIGIN, {}) is False


async def test_a_connector_behind_a_socket_is_called_and_its_redirects_are_not_followed() -> None:
    outbound = Outbound({})
    async with served(SHOP) as address:
        direct = await outbound.url_check(f"http://{address}/ok", {"login": "ann"})
        redirected = await outbound.url_check(f"http://{address}/redirect", {"login": "ann"})

    assert (direct, redirected) == (True, False)


async def test_a_log_of_keys_that_cannot_be_written_does_not_stop_the_portal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal writes no keys, and so has nothing to complain about."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    outbound._certificates.cache_clear()
    async with served(SHOP) as address:
        assert await Outbound({}).url_check(f"http://{address}/ok", {})
    assert outbound._certificates().keylog_filename is None


async def test_a_closed_port_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert await Outbound({}).url_check(url, {}) is False


async def test_a_portal_on_a_port_adds_a_source_of_a_connector_on_a_port() -> None:
    async with (
        served(SHOP) as shop,
        served(portal_app()) as portal,
        httpx.AsyncClient(base_url=f"http://{portal}/rest/", trust_env=False) as http,
    ):
        caller = Caller(http)
        fields = connector_fields(urlCheck=f"http://{shop}/ok")
        connector = await caller.result("biconnector.connector.add", fields=fields)
        source = await caller.result("biconnector.source.add", fields=source_fields(connector["id"]))

    assert source == {"id": 1}


async def test_a_connector_may_use_the_same_file_while_it_is_called(tmp_path: Path) -> None:
    database = str(tmp_path / "portal.sqlite")
    second = portal_app(database=database)

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        """Writes to the portal's file before it answers: a held lock would keep both waiting."""
        with second.state.database.transaction() as connection:
            connection.execute("INSERT INTO builder_datasets (name) VALUES ('written meanwhile')")
        await Response("ok")(scope, receive, send)

    app = portal_app(database=database, connectors={ORIGIN: busy})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
        assert await add_source(Caller(http)) == 1
