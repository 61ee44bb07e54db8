"""The command line of the Inspector, whose `--strict` finds schemas that some client cannot read. Its other one, `mcpdo`, is in CLIENTS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import HANDSHAKE, INSTALLED, NEWEST, NODE, in_typescript, needs, played, ran
from tests.clients.conftest import reachable
from tests.clients.journey import JOURNEY, Complete
from tests.clients.test_clients import EVERY_TOOL, check_all_used

pytestmark = [pytest.mark.campaign("foreign clients and checkers"), pytest.mark.anyio, needs(NODE)]

PROGRAM = INSTALLED / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
INSPECTOR = in_typescript("inspector", {"modern": NEWEST, "legacy": HANDSHAKE})


@pytest.fixture(params=INSPECTOR.eras)
def era(request: pytest.FixtureRequest) -> str:
    era: str = request.param
    return era


async def test_the_inspector_finds_no_schema_that_some_client_cannot_read(
    server: dict[str, Any], era: str, tmp_path: Path
) -> None:
    if "url" in server:
        reach = ["--server-url", server["url"], "--transport", "http"]
    else:
        settings = [part for item in server["env"].items() for part in ("-e", "=".join(item))]
        reach = [server["command"], *server["args"], *settings]
    how = ["--cli", *reach, "--protocol-era", era, "--method", "tools/list", "--strict", "--format", "json"]
    answer = json.loads(await ran(str(NODE), str(PROGRAM), *how, home=tmp_path))
    assert {tool["name"] for tool in answer["result"]["tools"]} == EVERY_TOOL


# Over HTTP only: each command connects anew, and over stdio the plan of one server would be applied by another.
async def test_the_inspector_uses_all_that_it_has_a_command_for(era: str, tmp_path: Path) -> None:
    journey = [step for step in JOURNEY if not isinstance(step, Complete)]
    async with reachable("http", tmp_path) as server:
        check_all_used(await played(INSPECTOR, era, server, tmp_path, journey))
