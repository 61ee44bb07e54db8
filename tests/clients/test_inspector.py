"""The command line of the Inspector, whose `--strict` finds schemas that some client cannot read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import INSTALLED, NODE, needs, ran
from tests.clients.conftest import reachable
from tests.clients.test_clients import EVERY_TOOL, PROMPTS, RESOURCES

pytestmark = [pytest.mark.anyio, needs(NODE)]

INSPECTOR = INSTALLED / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"


@pytest.fixture(params=["modern", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    era: str = request.param
    return era


class Inspector:
    """Asks one server; each question is a process of its own."""

    def __init__(self, server: dict[str, Any], era: str, home: Path) -> None:
        if "url" in server:
            reach = ["--server-url", server["url"], "--transport", "http"]
        else:
            settings = [part for item in server["env"].items() for part in ("-e", "=".join(item))]
            reach = [server["command"], *server["args"], *settings]
        self._command = [str(NODE), str(INSPECTOR), "--cli", *reach, "--protocol-era", era]
        self._home = home

    async def ask(self, method: str, *options: str) -> dict[str, Any]:
        answer = await ran(*self._command, "--method", method, "--format", "json", *options, home=self._home)
        result: dict[str, Any] = json.loads(answer)["result"]
        return result


async def test_the_inspector_finds_no_schema_that_some_client_cannot_read(
    server: dict[str, Any], era: str, tmp_path: Path
) -> None:
    tools = (await Inspector(server, era, tmp_path).ask("tools/list", "--strict"))["tools"]
    assert {tool["name"] for tool in tools} == EVERY_TOOL


# Over HTTP only: each question is a process of its own, and over stdio it would start the server, too.
async def test_the_inspector_lists_calls_reads_and_gets(era: str, tmp_path: Path) -> None:
    async with reachable("http", tmp_path) as server:
        inspector = Inspector(server, era, tmp_path)
        resources = (await inspector.ask("resources/list"))["resources"]
        assert {resource["uri"] for resource in resources} == RESOURCES
        prompts = (await inspector.ask("prompts/list"))["prompts"]
        assert {prompt["name"] for prompt in prompts} == PROMPTS
        called = await inspector.ask("tools/call", "--tool-name", "connector_list")
        assert called["structuredContent"]["items"] == []
        read = await inspector.ask("resources/read", "--uri", "bi://connector/fields")
        assert '"title"' in read["contents"][0]["text"]
        got = await inspector.ask("prompts/get", "--prompt-name", "onboard", "--prompt-args", "language=ru")
        assert len(got["messages"]) == 1
