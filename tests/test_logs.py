"""Logs as machines read them."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from bi_mcp.config import log_settings
from bi_mcp.errors import ConfigError
from bi_mcp.logs import JsonFormatter


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
