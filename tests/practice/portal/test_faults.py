from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bi_mcp.practice.portal.faults import FaultInjector, FaultKind, Faults, fault_routes
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

METHOD = "biconnector.source.add"
BEFORE: list[FaultKind] = [
    "expired_token",
    "query_limit",
    "overload",
    "operation_limit",
    "internal_error",
    "html",
    "html_ok",
]


class Portal:
    """Counts the calls that took effect."""

    def __init__(self, faults: Faults) -> None:
        self.effects: list[str] = []
        routes = [
            Route("/rest/{method:path}", self._rest, methods=["POST"]),
            Route("/oauth/token/", self._rest, methods=["POST"]),
            *fault_routes(faults),
        ]
        self.app: ASGIApp = FaultInjector(Starlette(routes=routes), faults)

    async def _rest(self, request: Request) -> Response:
        self.effects.append(request.url.path)
        return JSONResponse({"result": {"id": len(self.effects)}, "body": await request.json()})


@asynccontextmanager
async def client_of(portal: Portal) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(portal.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        yield client


async def called(portal: Portal, path: str = f"/rest/{METHOD}.json") -> httpx.Response:
    async with client_of(portal) as client:
        return await client.post(path, json={"x": 1})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("expired_token", 401, "expired_token"),
        ("query_limit", 503, "QUERY_LIMIT_EXCEEDED"),
        ("overload", 503, "OVERLOAD_LIMIT"),
        ("operation_limit", 429, "OPERATION_TIME_LIMIT"),
        ("internal_error", 500, "INTERNAL_SERVER_ERROR"),
        ("internal_error_after", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_a_refusal_has_its_status_and_code_at_the_root(kind: FaultKind, status: int, code: str) -> None:
    faults = Faults()
    faults.arm(kind)
    answer = await called(Portal(faults))
    assert (answer.status_code, answer.json()["error"]) == (status, code)


@pytest.mark.parametrize("kind", BEFORE)
async def test_faults_before_the_call_leave_nothing_behind_and_end_by_themselves(kind: FaultKind) -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm(kind)
    await called(portal)
    assert portal.effects == []
    assert (await called(portal)).json() == {"result": {"id": 1}, "body": {"x": 1}}


async def test_the_operation_limit_says_when_it_ends() -> None:
    faults = Faults(clock=lambda: 1000.5)
    faults.arm("operation_limit")
    faults.arm("operation_limit", operating_reset_at=1234)
    portal = Portal(faults)
    assert (await called(portal)).json()["time"] == {"operating_reset_at": 1061}
    assert (await called(portal)).json()["time"] == {"operating_reset_at": 1234}


@pytest.mark.parametrize(("kind", "status"), [("html", 502), ("html_ok", 200)])
async def test_a_page_comes_instead_of_json(kind: FaultKind, status: int) -> None:
    faults = Faults()
    faults.arm(kind)
    answer = await called(Portal(faults))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")


async def test_a_truncated_and_an_empty_answer_follow_a_call_that_took_effect() -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm("truncated")
    faults.arm("empty")
    truncated, empty, whole = await called(portal), await called(portal), await called(portal)
    assert truncated.text == whole.text.replace('"id":3', '"id":1')[: len(whole.text) // 2]
    assert truncated.headers["content-type"] == "application/json"
    assert (empty.status_code, empty.content) == (200, b"")
    assert len(portal.effects) == 3


@pytest.mark.parametrize(("kind", "effects"), [("cut_before", 0), ("cut_after", 1)])
async def test_over_a_socket_a_cut_is_a_broken_connection(kind: FaultKind, effects: int) -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm(kind)
    async with served(portal.app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post(f"/rest/{METHOD}", json={"x": 1})
        assert len(portal.effects) == effects
        assert (await client.post(f"/rest/{METHOD}", json={"x": 1})).status_code == 200


@pytest.mark.parametrize(("kind", "effects"), [("cut_before", 0), ("cut_after", 1)])
async def test_in_process_a_cut_raises_what_the_client_asked_for(kind: FaultKind, effects: int) -> None:
    faults = Faults(connection_lost=lambda: httpx.ReadError("cut"))
    portal = Portal(faults)
    faults.arm(kind)
    with pytest.raises(httpx.ReadError, match="cut"):
        await called(portal)
    assert len(portal.effects) == effects


async def test_a_slow_answer_waits_for_its_release_while_others_pass() -> None:
    faults = Faults()
    portal = Portal(faults)
    slow = faults.arm("slow")
    answers: list[httpx.Response] = []

    async def wait_for_it() -> None:
        answers.append(await called(portal))

    async with anyio.create_task_group() as group:
        group.start_soon(wait_for_it)
        await slow.reached.wait()
        assert (await called(portal)).json()["result"] == {"id": 2}
        assert answers == []
        slow.release.set()
    assert answers[0].json() == {"result": {"id": 1}, "body": {"x": 1}}


async def test_a_slow_answer_waits_no_longer_than_it_was_told() -> None:
    faults = Faults()
    faults.arm("slow", seconds=0)
    assert (await called(Portal(faults))).json()["result"] == {"id": 1}


async def test_dropping_all_orders_lets_slow_answers_go() -> None:
    faults = Faults()
    portal = Portal(faults)
    slow = faults.arm("slow", times=2)
    faults.arm("html")
    async with anyio.create_task_group() as group:
        group.start_soon(called, portal)
        await slow.reached.wait()
        async with client_of(portal) as client:
            assert (await client.delete("/_portal/faults")).status_code == 204
    assert (await called(portal)).status_code == 200


async def test_an_order_for_one_method_spares_the_others() -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm("internal_error", method=METHOD)
    faults.arm("overload", method="batch")
    assert (await called(portal, "/rest/biconnector.source.get")).status_code == 200
    assert (await called(portal, "/rest/1/s3cret/batch.json")).status_code == 503
    assert (await called(portal, f"/rest/1/s3cret/{METHOD}/")).status_code == 500


async def test_addresses_outside_rest_are_hit_only_when_named() -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm("internal_error")
    faults.arm("internal_error_after", method="/oauth/token/")
    assert (await called(portal, "/oauth/token/")).status_code == 500
    assert (await called(portal, "/oauth/token/")).status_code == 200
    assert portal.effects == ["/oauth/token/"] * 2


async def test_a_burst_begins_after_the_skipped_calls_and_ends_after_its_times() -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm("query_limit", skip=1, times=3)
    statuses = [(await called(portal)).status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 503, 200]


async def test_a_sync_failure_waits_for_the_code_that_asks_for_it() -> None:
    faults = Faults()
    portal = Portal(faults)
    faults.arm("sync_failure", method=METHOD)
    assert (await called(portal)).status_code == 200
    assert faults.take("sync_failure", "biconnector.source.get") is None
    assert faults.take("sync_failure", METHOD) is not None
    assert faults.take("sync_failure", METHOD) is None


async def test_faults_are_ordered_over_http() -> None:
    portal = Portal(Faults())
    async with client_of(portal) as client:
        order = {"kind": "query_limit", "method": METHOD, "times": 2}
        assert (await client.post("/_portal/faults", json=order)).status_code == 201
        assert (await called(portal)).status_code == 503
        assert (await client.delete("/_portal/faults")).status_code == 204
    assert (await called(portal)).status_code == 200


@pytest.mark.parametrize(
    "order",
    [b"{", b'{"kind": "flood"}', b'{"kind": "html", "times": 0}', b'{"kind": "html", "methods": "x"}', b"[]"],
)
async def test_an_order_that_makes_no_sense_is_refused_and_arms_nothing(order: bytes) -> None:
    portal = Portal(Faults())
    async with client_of(portal) as client:
        answer = await client.post("/_portal/faults", content=order)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_ORDER")
    assert (await called(portal)).status_code == 200
