from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from mcp import Client
from mcp.server import MCPServer

from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from tests.server.talking import Talk

Era = Literal["auto", "legacy"]


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    """The protocol of 2026-07-28, and the handshake protocols before it."""
    era: Era = request.param
    return era


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The practice portal in memory, with the sample connector's password where a user would put it."""
    monkeypatch.setenv("BI_MCP_SECRET_SAMPLE", "demo-password")
    return Settings()


@pytest.fixture
def server(settings: Settings) -> MCPServer:
    return build_server(settings)


@pytest.fixture
async def talk(server: MCPServer, era: Era) -> AsyncIterator[Talk]:
    """A real MCP client of the server, in both eras."""
    async with Client(server, mode=era) as client:
        yield Talk(client)
