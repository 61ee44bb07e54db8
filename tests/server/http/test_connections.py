"""Many connections, requests that never end, and what strangers can make the server write to its log."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest
import uvicorn
from anyio.abc import SocketStream
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bi_mcp.base.bounded_listener import BoundedListener, most_connections
from bi_mcp.base.bounded_protocol import REQUEST_S, BoundedProtocol
from bi_mcp.base.complaints import Seldom
from bi_mcp.server.http.drain import Drain
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import _Server
from tests.server.http.processes import serving
from tests.server.http.serving import LIMIT_S, http_client

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("servers for a team, as processes")]

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
HALF_OPEN = {
    "nothing": b"",
    "half a header": HEAD,
    "half a body": HEAD + b"Content-Length: 9\r\n\r\nhalf",
    "half a request after a whole one": b"GET /read HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD,
}


class Impatient(BoundedProtocol):
    request_s = 0.2


class Waiting:
    """An app that reads what it is sent; it answers `/wait` once it is let go, and everything else at once."""

    def __init__(self) -> None:
        self.opened = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        if scope["path"] == "/wait":
            await self.opened.wait()
        await Response("done")(scope, receive, send)


@asynccontextmanager
async def served(app: Waiting, most: int = 100) -> AsyncIterator[int]:
    """Serve with the bounds of the command, and give the port."""
    config = uvicorn.Config(
        app, http=Impatient, ws="none", lifespan="off", log_level=60, timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    with BoundedListener(socket.create_server(("127.0.0.1", 0)), most) as listener:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(server.serve, sockets=[listener]))
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True


async def ended(stream: SocketStream) -> bytes:
    """Everything that comes until the other side closes."""
    got = b""
    try:
        while True:
            got += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return got


@pytest.mark.parametrize("kind", HALF_OPEN)
async def test_a_request_that_does_not_arrive_is_given_up(kind: str) -> None:
    with anyio.fail_after(LIMIT_S):
        async with served(Waiting()) as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
            if HALF_OPEN[kind]:
                await stream.send(HALF_OPEN[kind])
            answer = await ended(stream)
    assert answer.count(b"HTTP/1.1 200") == kind.count("whole")


async def test_an_answer_may_take_longer_than_its_request() -> None:
    app = Waiting()
    with anyio.fail_after(LIMIT_S):
        async with served(app) as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            async with await anyio.connect_tcp("127.0.0.1", port) as half:
                await ended(half)
            app.opened.set()
            assert b"done" in await ended(stream)


async def test_what_is_sent_does_not_wait_for_the_receipt_of_what_was_sent_before() -> None:
    connected: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Noting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connected.set_result(transport)

    with BoundedListener(socket.create_server(("127.0.0.1", 0)), 100) as listener:
        server = await asyncio.get_running_loop().create_server(Noting, sock=listener)
        async with server, await anyio.connect_tcp("127.0.0.1", listener.getsockname()[1]):
            transport = await connected
            served = transport.get_extra_info("socket")
            assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()


async def test_who_comes_when_enough_are_connected_is_closed_until_one_goes() -> None:
    app = Waiting()
    whole = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with anyio.fail_after(LIMIT_S):
        async with served(app, most=2) as port, AsyncExitStack() as stack:
            first, second, third = [
                await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port)) for _ in range(3)
            ]
            await first.send(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await second.send(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert await ended(third) == b""
            app.opened.set()
            assert b"done" in await ended(first)
            assert b"done" in await ended(second)
            async with await anyio.connect_tcp("127.0.0.1", port) as later:
                await later.send(whole)
                assert b"done" in await ended(later)


def test_descriptors_are_kept_back_for_the_server_itself() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        found = []
        for limit in (300, 150):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            found.append(most_connections())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found == [200, 75]


async def test_the_command_outlives_more_half_open_requests_than_it_has_descriptors(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    with anyio.fail_after(LIMIT_S):
        async with serving(tmp_path) as server:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            host, _, port = server.address.partition(":")
            async with AsyncExitStack() as stack:
                streams = []
                for _ in range(300):
                    stream = await stack.enter_async_context(await anyio.connect_tcp(host, int(port)))
                    streams.append(stream)
                closed = 0
                for stream in streams[100:]:
                    closed += await ended(stream) == b""
            async with http_client(server.address) as http:
                assert (await http.get("/health")).status_code == 200
            server.process.terminate()
            code, errors = await server.ended()
    assert closed == 200
    assert code == 0
    assert "100 are open already" in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) <= 12


def test_the_command_serves_with_these_bounds() -> None:
    server = _Server(Drain(Starlette()), HttpOptions())
    assert server.config.http is BoundedProtocol
    assert BoundedProtocol.request_s == REQUEST_S == 30


def record(text: str, *args: object, error: Exception | None = None) -> logging.LogRecord:
    trace = (type(error), error, None) if error else None
    return logging.LogRecord("x", logging.WARNING, "x.py", 1, text, args, trace)


def test_complaints_of_a_kind_are_left_out_after_a_few_and_counted() -> None:
    now = [0.0]
    seldom = Seldom(most=2, within_s=60, clock=lambda: now[0])
    assert [seldom(record("Host header refused: %r", f"host{n}")) for n in range(5)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert seldom(record("another complaint of a stranger"))
    now[0] = 61.0
    later = record("Host header refused: %r", "last")
    assert seldom(later)
    assert later.getMessage() == "Host header refused: 'last' (3 more like this were left out)"


def test_a_client_that_went_is_no_complaint() -> None:
    assert not Seldom()(record("Exception in ASGI application", error=ClientDisconnect()))
    assert Seldom()(record("Exception in ASGI application", error=ValueError()))


def test_kinds_that_somebody_makes_up_do_not_fill_the_memory() -> None:
    seldom = Seldom()
    for number in range(1000):
        seldom(record(f"{number} is made up"))
    assert len(seldom._counts) <= 100
