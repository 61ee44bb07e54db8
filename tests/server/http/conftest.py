from __future__ import annotations

import pytest

from tests.app.replicas.conftest import redis, redis_server

__all__ = ["redis", "redis_server"]


@pytest.fixture(autouse=True)
def forgetful_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own settings."""
    for name in ("BI_MCP_PORTAL_URL", "BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
