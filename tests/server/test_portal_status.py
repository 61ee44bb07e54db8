"""`portal_status` and `bi-mcp doctor` tell the same."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bi_mcp.cli import main
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio


async def test_the_tool_examines_the_embedded_portal(talk: Talk) -> None:
    status = await talk.done("portal_status")
    assert status["verdict"] == "ok"
    assert status["portal"] == "the practice portal"
    assert status["generation"] == "tables"
    assert "not the user's Bitrix24" in status["notice"]


def test_the_command_examines_the_same_and_ends_with_its_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_DB", ":memory:")
    told = CliRunner().invoke(main, ["doctor"])
    assert told.exit_code == 0
    assert told.output.splitlines()[0].split(maxsplit=1) == ["portal", "the practice portal"]
    assert json.loads(CliRunner().invoke(main, ["doctor", "--json"]).output)[0]["verdict"] == "ok"


def test_the_command_ends_with_1_when_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BI_MCP_ACCESS_TOKEN", "canary-token")
    told = CliRunner().invoke(main, ["doctor"])
    assert told.exit_code == 1
    assert "could not be reached" in told.output
    assert "canary-token" not in told.output
