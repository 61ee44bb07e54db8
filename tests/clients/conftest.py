from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from bi_mcp.practice import sample
from bi_mcp.server.tools import TOOLSETS
from tests.clients.journey import SECRET
from tests.server.http.processes import serving
from tests.server.processes import COMMAND, environment

Way = Literal["stdio", "http"]
VARIABLES = {
    "BI_MCP_TOOLSETS": ",".join(TOOLSETS),
    "BI_MCP_PORTAL_DB": ":memory:",
    SECRET: sample.DEMO_PASSWORD,
}


@asynccontextmanager
async def reachable(way: Way, home: Path) -> AsyncIterator[dict[str, Any]]:
    """How a client reaches a server with every tool on a portal of its own: a command to start, or an address."""
    if way == "stdio":
        yield {"command": COMMAND[0], "args": COMMAND[1:], "env": environment(home, **VARIABLES)}
        return
    async with serving(home, **VARIABLES) as served:
        yield {"url": f"http://{served.address}/mcp"}


@pytest.fixture(params=["stdio", "http"])
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture
async def server(way: Way, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    async with reachable(way, tmp_path) as server:
        yield server
