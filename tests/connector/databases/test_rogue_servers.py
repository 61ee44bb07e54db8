"""Servers that are no database, or that lead elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.refusal import SourceError
from tests.connector.databases.asking import a_database


class Rogue(ThreadingHTTPServer):
    """Answers whatever it is asked in one way, and keeps the paths that it was asked for."""

    def __init__(self, status: int, body: bytes = b"", location: str = "") -> None:
        self.asked: list[str] = []
        self.status, self.body, self.location = status, body, location
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Rogue

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815  names of the library

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def rogue(status: int, body: bytes = b"", location: str = "") -> Iterator[Rogue]:
    with Rogue(status, body, location) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def failure_of(address: str, timeout: float = 5) -> SourceError:
    with closing(a_database(Secret(address), timeout=timeout)) as database:
        with pytest.raises(SourceError) as refusal:
            database.check()
        return refusal.value


def a_status(next_uri: str) -> bytes:
    status = {"id": "q", "infoUri": "http://x/", "nextUri": next_uri, "stats": {"state": "QUEUED"}}
    return json.dumps(status).encode()


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("scheme", ["clickhouse", "trino"])
def test_nobody_is_led_to_another_host(scheme: str, status: int) -> None:
    with rogue(500) as inner, rogue(status, location=f"http://{inner.place}/latest") as server:
        assert failure_of(f"{scheme}://bi:@{server.place}/shop").status == 502
        assert server.asked
        assert inner.asked == []


def test_the_next_part_of_an_answer_comes_from_the_same_host() -> None:
    with rogue(500) as inner, rogue(200, a_status(f"http://{inner.place}/latest")) as server:
        failure = failure_of(f"trino://bi@{server.place}/shop")
        assert failure.status == 502
        assert "another host" in failure.cause
        assert inner.asked == []


def test_an_answer_without_end_is_broken_off() -> None:
    with rogue(200) as server:
        server.body = a_status(f"http://{server.place}/next")
        assert failure_of(f"trino://bi@{server.place}/shop", timeout=0.2).status == 504
        assert "/next" in server.asked


@pytest.mark.parametrize("scheme", ["clickhouse", "trino"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[1]", b"\xff\xfe"])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_of_no_database_is_a_failure_of_the_source(scheme: str, status: int, body: bytes) -> None:
    with rogue(status, body) as server:
        failure = failure_of(f"{scheme}://bi:@{server.place}/shop")
        assert failure.status == 502
        assert failure.cause
