from __future__ import annotations

import pytest

from tests.server.http.serving import Era


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    """The protocol of 2026-07-28, and the handshake protocols before it."""
    era: Era = request.param
    return era


@pytest.fixture(autouse=True)
def forgetful_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own settings."""
    for name in ("BI_MCP_PORTAL_URL", "BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
