"""Calls of endpoints over real HTTP."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.endpoints.caller import EndpointCaller, EndpointLimits
from bi_mcp.errors import EndpointError
from bi_mcp.practice.sample import ENDPOINTS, ORIGIN, create_app
from tests.endpoints.services import HOST, Recorder, answering, local, make_certificate, raw_service
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

CONNECTION = {"login": Secret("demo"), "password": Secret("demo-password")}
NO_LIMIT_REACHED = EndpointLimits()


def caller(limits: EndpointLimits = NO_LIMIT_REACHED) -> EndpointCaller:
    return EndpointCaller(allow_private=True, limits=limits)


async def failure(app: ASGIApp, limits: EndpointLimits = NO_LIMIT_REACHED) -> EndpointError:
    async with served(app) as address:
        with pytest.raises(EndpointError) as caught:
            await caller(limits).data(f"http://{address}/data?key=hidden", CONNECTION, "t")
    assert "demo-password" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    return caught.value


async def test_a_call_is_what_bitrix24_sends() -> None:
    shop = Recorder(Response("[]"))
    async with served(shop) as address:
        await caller().data(
            f"http://{address}/data?tenant=5",
            CONNECTION,
            "orders",
            select=["a", "b"],
            filter={">=a": 5},
            limit=3,
            map_fields={"a": "A"},
        )
    request, body = shop.requests[0]

    assert (request.method, request.url.path, request.url.query) == ("POST", "/data", "tenant=5")
    assert request.headers["host"] == address
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept-encoding"] == "identity"
    assert parse_form(body) == {
        "table": "orders",
        "select": {"0": "a", "1": "b"},
        "filter": {">=a": "5"},
        "limit": "3",
        "mapFields": {"a": "A"},
        "connection": {"login": "demo", "password": "demo-password"},
    }


async def test_what_is_not_given_is_not_sent() -> None:
    shop = Recorder(Response("[]"))
    called = EndpointCaller(apps={"http://shop.localhost": shop})
    await called.check("http://shop.localhost/check", {})
    await called.table_list("http://shop.localhost/list", {})
    await called.table_description("http://shop.localhost/table", {}, "t")
    await called.data("http://shop.localhost/data", {}, "t")

    assert [body for _, body in shop.requests] == [b"", b"searchString=", b"table=t", b"table=t"]


@pytest.mark.parametrize("in_process", [True, False])
async def test_the_sample_is_read(in_process: bool) -> None:
    sample = create_app()
    async with served(sample) as address:
        origin = ORIGIN if in_process else f"http://{address}"
        called = EndpointCaller(allow_private=True, apps={ORIGIN: sample})
        check = await called.check(origin + ENDPOINTS["urlCheck"], CONNECTION)
        tables = await called.table_list(origin + ENDPOINTS["urlTableList"], CONNECTION, search="FLIGHT")
        columns = await called.table_description(
            origin + ENDPOINTS["urlTableDescription"], CONNECTION, "airlines"
        )
        rows = await called.data(
            origin + ENDPOINTS["urlData"], CONNECTION, "flights", select=["CARRIER"], limit=2
        )

    assert (check.status, check.in_process) == (200, in_process)
    assert bool(check.not_public) is not in_process
    assert [table.code for table in tables.items] == ["flights"]
    assert [(column.code, column.type) for column in columns.items] == [
        ("CARRIER", "string"),
        ("NAME", "string"),
    ]
    assert rows.header == ["CARRIER"]
    assert [len(row) for row in rows.rows] == [1, 1]
    assert tables.breaches == columns.breaches == rows.breaches == []


@pytest.mark.parametrize(
    ("app", "reason", "status"),
    [
        (answering("[]", 201), "status", 201),
        (answering("", 204), "status", 204),
        (answering("no", 401), "denied", 401),
        (answering("no", 403), "denied", 403),
        (answering("[]", 404), "not_found", 404),
        (answering("[]", 500), "status", 500),
        (answering("", 304), "status", 304),
        (RedirectResponse("/elsewhere", 301), "redirect", 301),
        (RedirectResponse("http://169.254.169.254/", 307), "redirect", 307),
        (RedirectResponse("http://[broken/", 308), "redirect", 308),
        (answering("<html>"), "not_json", 200),
        (answering(""), "not_json", 200),
        (answering('[["a"], [1'), "not_json", 200),
        (answering("[" * 100_000), "not_json", 200),
        (answering(b"\x00\xff"), "not_json", 200),
        (answering("[]", headers={"content-encoding": "br"}), "encoding", 200),
        (answering("[]", headers={"content-encoding": "gzip, gzip"}), "encoding", 200),
        (answering("[]", headers={"content-encoding": "gzip"}), "encoding", 200),
    ],
)
async def test_each_failure_has_its_reason(app: ASGIApp, reason: str, status: int) -> None:
    error = await failure(app)

    assert (error.reason, error.status) == (reason, status)
    assert error.seconds > 0


async def test_only_the_check_may_answer_anything_but_something() -> None:
    called = EndpointCaller(
        apps={"http://empty.localhost": answering(""), "http://text.localhost": answering("fine")}
    )
    answer = await called.check("http://text.localhost/", {})
    with pytest.raises(EndpointError) as caught:
        await called.check("http://empty.localhost/", {})

    assert answer.size == 4
    assert (caught.value.reason, caught.value.status) == ("empty", 200)


async def test_a_redirect_is_not_followed_and_its_target_is_named_without_secrets() -> None:
    shop = Recorder(RedirectResponse("https://user:x@evil.example/demo-password/?p=demo-password"))
    async with served(shop) as address:
        with pytest.raises(EndpointError) as caught:
            await caller().check(f"http://{address}/check", CONNECTION)

    assert "https://evil.example/•••/" in str(caught.value)
    assert len(shop.requests) == 1


async def test_the_endpoints_own_path_is_told_as_it_was_written_without_a_comparison() -> None:
    with pytest.raises(EndpointError) as caught:
        await EndpointCaller(apps={ORIGIN: answering("", 500)}).check(f"{ORIGIN}/demo-password/", CONNECTION)

    # Whoever may write addresses can read them, too; a mask here would tell them that they guessed a value.
    assert f"{ORIGIN}/demo-password/" in str(caught.value)


async def test_a_secret_that_an_answer_repeats_is_masked_in_breaches() -> None:
    columns = [{"code": "x" * 100 + "demo-password", "name": "n", "type": "demo-password"}]
    called = EndpointCaller(apps={ORIGIN: answering(json.dumps(columns * 2))})
    found = await called.table_description(ORIGIN, CONNECTION, "t")

    assert {breach.rule for breach in found.breaches} == {"unknown_type", "duplicate_code"}
    assert all("demo-p" not in breach.detail for breach in found.breaches)


async def test_a_body_compressed_unasked_is_read() -> None:
    packed = answering(gzip.compress(b'[["a"],[1]]'), headers={"content-encoding": "gzip"})
    deflated = answering(zlib.compress(b'[["a"],[2]]'), headers={"content-encoding": "deflate"})
    called = EndpointCaller(apps={"http://a.localhost": packed, "http://b.localhost": deflated})

    assert (await called.data("http://a.localhost", {}, "t")).rows == [[1]]
    assert (await called.data("http://b.localhost", {}, "t")).rows == [[2]]


async def test_a_compressed_bomb_ends_at_the_bound() -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    error = await failure(
        answering(bomb, headers={"content-encoding": "gzip"}), EndpointLimits(size=1_000_000)
    )

    assert (len(bomb) < 100_000, error.reason) == (True, "too_large")


async def _endless(part: bytes) -> AsyncIterator[bytes]:
    yield b'[["a"]'
    while True:
        # Where the server notices that the client has gone.
        await anyio.lowlevel.checkpoint()
        yield part


@pytest.mark.parametrize("in_process", [True, False])
async def test_rows_without_end_are_read_up_to_the_bound(in_process: bool) -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(_endless(b",[1]" * 100))(scope, receive, send)

    limits = EndpointLimits(rows=250, size=1_000_000)
    async with served(endless) as address:
        url = "http://endless.localhost" if in_process else f"http://{address}"
        called = EndpointCaller(allow_private=True, apps={"http://endless.localhost": endless}, limits=limits)
        rows = await called.data(url, {}, "t")
        few = await called.data(url, {}, "t", limit=2)

    assert (len(rows.rows), rows.truncated) == (250, True)
    assert few.rows == [[1], [1]]
    assert [breach.rule for breach in few.breaches] == ["limit_ignored"]


@pytest.mark.parametrize("in_process", [True, False])
async def test_an_element_without_end_is_too_large(in_process: bool) -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        async def text() -> AsyncIterator[bytes]:
            yield b'["'
            while True:
                await anyio.lowlevel.checkpoint()
                yield b"a" * 1000

        await StreamingResponse(text())(scope, receive, send)

    async with served(endless) as address:
        url = "http://endless.localhost" if in_process else f"http://{address}"
        called = EndpointCaller(
            allow_private=True,
            apps={"http://endless.localhost": endless},
            limits=EndpointLimits(size=100_000),
        )
        with pytest.raises(EndpointError) as caught:
            await called.data(url, {}, "t")

    assert caught.value.reason == "too_large"


async def test_a_million_rows_give_as_many_as_are_wanted() -> None:
    body = "[" + ",".join(['["code"]', *["[1234567]"] * 1_000_000]) + "]"
    rows = await EndpointCaller(apps={ORIGIN: answering(body)}).data(ORIGIN, {}, "t")

    assert (len(rows.rows), rows.truncated) == (1000, True)


@pytest.mark.parametrize("begins", [True, False])
async def test_a_body_that_does_not_come_in_time_is_given_up(begins: bool) -> None:
    enough = anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"[", "more_body": True})
        await enough.wait()

    limits = EndpointLimits(body_s=0.05)
    called = EndpointCaller(allow_private=True, apps={ORIGIN: slow}, limits=limits)
    async with served(slow) as address:
        for url in (ORIGIN, f"http://{address}"):
            with pytest.raises(
                EndpointError, match=r"did not send its whole answer within 0\.05 s"
            ) as caught:
                await called.data(url, {}, "t")
            assert caught.value.reason == "timeout"
        enough.set()


async def test_a_connection_that_does_not_come_about_in_time_is_given_up() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        await anyio.sleep_forever()
        return []

    called = EndpointCaller(resolver=never, limits=EndpointLimits(connect_s=0.01))
    with pytest.raises(EndpointError, match=r"Could not connect to .* within 0\.01 s") as caught:
        await called.check("https://shop.example", {})

    assert caught.value.reason == "timeout"


async def test_a_cancelled_call_is_no_failure_of_the_endpoint() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        scope.cancel()
        await anyio.sleep_forever()
        return []

    with anyio.CancelScope() as scope:
        await EndpointCaller(resolver=never).check("https://shop.example", {})

    assert scope.cancelled_caught


async def test_a_closed_port_cannot_be_connected_to() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EndpointError, match="Cannot connect to") as caught:
            await caller().check(f"http://127.0.0.1:{taken.getsockname()[1]}/", CONNECTION)

    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[[", b"HTTP/1.1 2"],
)
async def test_a_service_that_hangs_up_or_speaks_otherwise_broke_off(answer: bytes) -> None:
    async with raw_service(answer) as address:
        with pytest.raises(EndpointError, match="closed the connection") as caught:
            await caller().data(f"http://{address}/", CONNECTION, "t")

    assert caught.value.reason == "unreachable"


async def test_private_addresses_are_refused_unless_allowed() -> None:
    shop = Recorder(Response("ok"))
    async with served(shop) as address:
        with pytest.raises(EndpointError) as caught:
            await EndpointCaller().check(f"http://{address}/", CONNECTION)

    assert caught.value.reason == "refused_address"
    assert shop.requests == []


async def test_the_judged_address_is_the_one_connected_to() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    shop = Recorder(Response("ok"))
    async with served(shop) as address:
        port = address.rpartition(":")[2]
        await EndpointCaller(allow_private=True, resolver=rebinding).check(f"http://{HOST}:{port}/", {})

    assert shop.requests[0][0].headers["host"] == f"{HOST}:{port}"
    assert next(answers) == ["169.254.169.254"]


async def test_another_address_of_a_host_is_tried_when_one_refuses() -> None:
    async def two(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    shop = Recorder(Response("ok"))
    async with served(shop) as address:
        port = address.rpartition(":")[2]
        answer = await EndpointCaller(allow_private=True, resolver=two).check(f"http://{HOST}:{port}/", {})

    assert answer.status == 200
    assert len(shop.requests) == 1


async def test_tls_is_checked_for_the_name_and_not_for_the_number(tmp_path: Path) -> None:
    files, trusting = make_certificate(tmp_path)
    shop = Recorder(Response("ok"))
    called = EndpointCaller(allow_private=True, resolver=local, certificates=trusting)
    async with served(shop, certificate=files) as address:
        port = address.rpartition(":")[2]
        answer = await called.check(f"https://{HOST}:{port}/", {})
        with pytest.raises(
            EndpointError, match=r"TLS failed: the certificate of other.example is for another name"
        ) as other:
            await called.check(f"https://other.example:{port}/", {})
        with pytest.raises(
            EndpointError, match=r"the certificate of \S+ is not trusted \(self-signed"
        ) as unknown:
            await EndpointCaller(allow_private=True, resolver=local).check(f"https://{HOST}:{port}/", {})

    assert answer.tls == "TLSv1.3"
    assert (other.value.reason, unknown.value.reason) == ("tls", "tls")
    assert len(shop.requests) == 1


async def test_https_to_a_port_that_speaks_http_is_said_to_be_tls() -> None:
    async with served(answering("ok")) as address:
        with pytest.raises(EndpointError, match="TLS failed") as caught:
            await caller().check(f"https://{address}/", {})

    assert caught.value.reason == "tls"


async def test_an_app_that_breaks_answers_500() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no shop today")

    with pytest.raises(EndpointError) as caught:
        await EndpointCaller(apps={ORIGIN: broken}).check(ORIGIN, {})

    assert (caught.value.reason, caught.value.status) == ("status", 500)
