"""Logs as machines read them."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import httpx
import httpx2
import pytest

from bi_mcp.base.logs import JsonFormatter, hide_answers_in_logs
from bi_mcp.config import log_settings
from bi_mcp.errors import ConfigError


def test_a_line_is_an_object_with_the_class_of_an_exception_and_not_its_text() -> None:
    try:
        int("a secret")
    except ValueError:
        record = logging.LogRecord(
            "bi_mcp.x", logging.ERROR, __file__, 1, "It %s.", ("failed",), sys.exc_info()
        )
    line = JsonFormatter().format(record)
    entry = json.loads(line)
    assert "\n" not in line
    assert "a secret" not in line
    assert entry | {"time": ""} == {
        "time": "",
        "level": "error",
        "logger": "bi_mcp.x",
        "message": "It failed.",
        "exception": "ValueError",
    }
    assert entry["time"].endswith("+00:00")


def test_options_come_before_variables() -> None:
    environment = {"BI_MCP_LOG_LEVEL": "debug", "BI_MCP_LOG_FORMAT": "json"}
    assert log_settings(None, None, environment) == ("json", "debug")
    assert log_settings("text", "error", environment) == ("text", "error")
    assert log_settings(None, None, {}) == ("text", "warning")
    with pytest.raises(ConfigError, match="BI_MCP_LOG_LEVEL must be one of debug, info, warning, error"):
        log_settings(None, None, {"BI_MCP_LOG_LEVEL": "loud"})


CANARY = "canary-password"
ANSWERS = {
    "a reason phrase": f"HTTP/1.1 200 {CANARY}\r\nContent-Length: 0\r\n\r\n",
    "a header": f"HTTP/1.1 200 OK\r\nX-Echo: {CANARY}\r\nContent-Length: 0\r\n\r\n",
    "a broken header line": f"HTTP/1.1 200 OK\r\n{CANARY} without a colon\r\n\r\n",
    "a broken status line": f"{CANARY}\r\n\r\n",
    "a broken version": f"HTTP/{CANARY} 200 OK\r\n\r\n",
    "a broken length": f"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n",
    "a broken chunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n",
}


@contextmanager
def answering(answer: str) -> Iterator[str]:
    """A port of this machine that gives this answer to one request."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer.encode())

        thread = Thread(target=answer_once, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/data?key={CANARY}"
        thread.join()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO], ids=["debug", "info"])
@pytest.mark.parametrize("client", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_no_line_of_a_client_holds_what_was_answered(
    caplog: pytest.LogCaptureFixture, client: Any, level: int, answer: str
) -> None:
    hide_answers_in_logs()
    caplog.set_level(level)
    with answering(answer) as address, client.Client(trust_env=False) as caller, suppress(client.HTTPError):
        caller.post(address, content=b"connection[password]=x")
    assert CANARY not in caplog.text
    if level == logging.DEBUG:
        assert "receive_response_headers." in caplog.text


def test_a_call_is_logged_with_its_place_and_status(caplog: pytest.LogCaptureFixture) -> None:
    hide_answers_in_logs()
    caplog.set_level(logging.INFO)
    with answering(ANSWERS["a reason phrase"]) as address, httpx.Client(trust_env=False) as caller:
        caller.post(address)
    line = next(record.getMessage() for record in caplog.records if record.name == "httpx")
    assert line == f'HTTP Request: POST {address.partition("?")[0]}?••• "HTTP/1.1 200"'
