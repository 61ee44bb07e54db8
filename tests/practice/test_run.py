"""The practice portal on a port, as `bi-mcp portal` runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bi_mcp.errors import ConfigError
from bi_mcp.practice.run import serve_portal

HANDLER = "http://127.0.0.1:8765/sign-in/return"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The apps that would have been served."""
    apps: list[Any] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_: apps.append(app))
    monkeypatch.setenv("BI_MCP_PORTAL_DB", str(tmp_path / "portal.sqlite3"))
    monkeypatch.delenv("BI_MCP_PORTAL_USERS", raising=False)
    monkeypatch.delenv("BI_MCP_PORTAL_APPLICATION", raising=False)
    return apps


def announced(**options: Any) -> str:
    lines: list[str] = []
    serve_portal(8770, lines.append, **options)
    return "\n".join(lines)


def test_a_newcomer_copies_one_line_to_try_signing_in(started: list[Any]) -> None:
    told = announced(users=["7:Anna:read", "8:Boris"], sign_in=HANDLER)
    found = re.search(r"BI_MCP_SIGN_IN_CLIENT_ID=(\S+) BI_MCP_SIGN_IN_CLIENT_SECRET=(\S+) bi-mcp serve", told)
    assert found is not None
    assert "--http --sign-in --portal http://127.0.0.1:8770" in told
    application = started[0].state.tokens.application(found[1])
    assert (application.client_secret, application.handler) == (found[2], HANDLER)
    # Departments need a scope of their own.
    assert application.scope == "biconnector,user_brief"
    started[0].state.database.close()
    # A server that was started with that line goes on when the portal is started again, at another address, too.
    again = announced(sign_in="http://127.0.0.1:9000/sign-in/return")
    assert found[0] in again
    assert "http://127.0.0.1:9000/sign-in/return" in again
    # The server must listen where the application returns to.
    assert again.endswith("--portal http://127.0.0.1:8770 --port 9000")
    assert told.endswith("--portal http://127.0.0.1:8770")
    started[1].state.database.close()


def test_the_application_may_be_given(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_PORTAL_APPLICATION", "local.ours:our-secret")
    told = announced(sign_in=HANDLER)
    assert "BI_MCP_SIGN_IN_CLIENT_ID=local.ours BI_MCP_SIGN_IN_CLIENT_SECRET=our-secret" in told
    started[0].state.database.close()


@pytest.mark.parametrize("address", ["foo", "bi.acme.example/sign-in/return", "javascript:alert(1)", ""])
def test_an_application_returns_to_an_address(started: list[Any], address: str) -> None:
    with pytest.raises(ConfigError, match="is a whole address, such as https"):
        announced(sign_in=address)
    assert started == []


def test_without_the_option_no_application_is_registered(started: list[Any]) -> None:
    assert "SIGN_IN" not in announced()
    assert started[0].state.tokens.applications() == []
    started[0].state.database.close()
