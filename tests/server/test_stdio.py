"""The server as a process on standard input and output: what a client that speaks raw JSON-RPC sees."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from bi_mcp.server.tools import TOOLS
from tests.server.processes import COMMAND, LIMIT_S, MODERN, Wire, environment, ran, started
from tests.server.talking import connector_fields

pytestmark = pytest.mark.anyio

HANDSHAKES = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


async def shake_hands(wire: Wire, version: str) -> dict[str, object]:
    client = {"name": "test", "version": "1"}
    answer = await wire.ask("initialize", protocolVersion=version, capabilities={}, clientInfo=client)
    await wire.notify("notifications/initialized")
    return answer


async def add_connector(wire: Wire, title: str) -> int:
    added = await wire.call("connector_add", {"fields": connector_fields(title)}, **MODERN)
    return int(added["id"])


async def titles(wire: Wire) -> dict[int, str]:
    listed = await wire.call("connector_list", {"select": ["title"]}, **MODERN)
    return {item["id"]: item["title"] for item in listed["items"]}


@pytest.mark.parametrize("version", HANDSHAKES)
async def test_every_protocol_with_a_handshake_is_spoken(tmp_path: Path, version: str) -> None:
    async with started(tmp_path) as wire:
        answer = await shake_hands(wire, version)
        assert answer["protocolVersion"] == version
        assert "practice portal" in str(answer["instructions"])

        tools = (await wire.ask("tools/list"))["tools"]
        assert [tool["name"] for tool in tools] == [declaration.name for declaration in TOOLS]

        listed = await wire.call("connector_list", {})
        assert listed["items"] == []
        assert await wire.end() == 0
        assert wire.errors() == ""


async def test_the_newest_protocol_needs_no_handshake(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        found = await wire.ask("server/discover", **MODERN)
        assert found["supportedVersions"] == ["2026-07-28"]
        assert len((await wire.ask("tools/list", **MODERN))["tools"]) == len(TOOLS)
        assert (await wire.call("connector_list", {}, **MODERN))["items"] == []
        assert await wire.end() == 0
        assert wire.errors() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_at_once_though_its_input_is_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with started(tmp_path) as wire:
        await wire.ask("server/discover", **MODERN)
        assert await wire.signalled(number) == -number
        assert wire.errors() == ""


async def test_the_embedded_portal_remembers_in_the_users_data_folder(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        connector = await add_connector(wire, "Kept")
        assert await wire.end() == 0
    assert (tmp_path / "data/bi-mcp/portal.sqlite3").is_file()

    async with started(tmp_path) as wire:
        assert await titles(wire) == {connector: "Kept"}
        preview = (await wire.call("connector_delete", {"id": connector}, **MODERN))["preview"]
        await wire.call("connector_delete", {"id": connector, "confirm": preview["confirm"]}, **MODERN)
        assert await wire.end() == 0

    async with started(tmp_path) as wire:
        assert await titles(wire) == {}


async def test_a_client_is_asked_for_what_it_can_show_and_an_answer_to_no_question_counts_for_nothing(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as wire:
        connector = await add_connector(wire, "Kept")

        async def delete(asking: Mapping[str, object], **more: object) -> dict[str, Any]:
            capabilities = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": asking}}
            meta = {"_meta": MODERN["_meta"] | capabilities}
            return await wire.ask(
                "tools/call", name="connector_delete", arguments={"id": connector}, **meta, **more
            )

        assert (await delete({"url": {}}))["structuredContent"]["deleted"] is False
        forms: list[dict[str, object]] = [{}, {"form": {}}, {"form": {}, "url": {}}]
        for asking in forms:
            asked = await delete(asking)
            assert asked["resultType"] == "input_required"
            ((key, question),) = asked["inputRequests"].items()
            assert '"Kept" would be deleted' in question["params"]["message"]
        forged = {key: {"action": "accept", "content": {"proceed": True}}}
        assert (await delete({}, inputResponses=forged))["resultType"] == "input_required"
        assert await titles(wire) == {connector: "Kept"}


@pytest.mark.parametrize(
    ("options", "variables"),
    [(("serve", "--confirm=off"), {}), ((), {"BI_MCP_CONFIRM": "off"})],
)
async def test_a_script_may_go_without_confirmation(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    async with started(tmp_path, *options, **variables) as wire:
        connector = await add_connector(wire, "Gone at once")
        deleted = await wire.call("connector_delete", {"id": connector}, **MODERN)
        assert deleted["deleted"] is True
        assert await titles(wire) == {}


async def test_two_servers_on_one_file_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    mine: dict[int, str] = {}

    async def work(wire: Wire, name: str) -> None:
        for number in range(10):
            title = f"{name} {number}"
            id = await add_connector(wire, title)
            assert id not in mine
            mine[id] = title

    async with started(tmp_path, name="one") as one, started(tmp_path, name="two") as two:
        async with anyio.create_task_group() as group:
            group.start_soon(work, one, "one")
            group.start_soon(work, two, "two")
        assert len(mine) == 20
        assert await titles(one) == mine
        assert await titles(two) == mine
        assert [await one.end(), await two.end()] == [0, 0]
        assert one.errors() + two.errors() == ""

    with sqlite3.connect(tmp_path / "data/bi-mcp/portal.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


async def test_a_change_by_one_server_is_seen_by_the_other_at_once(tmp_path: Path) -> None:
    async with started(tmp_path, name="one") as one, started(tmp_path, name="two") as two:
        connector = await add_connector(one, "First")
        await two.call("connector_update", {"id": connector, "fields": {"title": "Second"}}, **MODERN)
        assert await titles(one) == {connector: "Second"}


def test_a_client_that_does_not_read_any_more_ends_the_server_quietly(tmp_path: Path) -> None:
    asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": MODERN}).encode() + b"\n"
    with subprocess.Popen(  # noqa: S603  bi-mcp itself
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        cwd=tmp_path,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(asked)
        server.stdin.flush()
        assert b'"tools"' in server.stdout.readline()
        server.stdout.close()
        server.stdin.write(asked)
        server.stdin.flush()
        # Its input stays open.
        assert server.wait(LIMIT_S) == 0
        assert server.stderr.read() == b""


async def test_a_client_that_leaves_without_a_word_ends_the_server(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        assert await wire.end() == 0
        assert wire.errors() == ""


@pytest.mark.parametrize(
    "variables",
    [
        {"BI_MCP_PORTAL_URL": "https://portal.example"},
        {"BI_MCP_ACCESS_TOKEN": "a-token", "BI_MCP_WEBHOOK": "https://portal.example/rest/1/a-hook/"},
        {"BI_MCP_PORTAL_LIMITS": "many"},
    ],
    ids="+".join,
)
async def test_wrong_settings_end_the_server_with_one_message(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    finished = await ran(tmp_path, **variables)
    assert finished.returncode == 1
    assert finished.stdout == b""
    message = finished.stderr.decode()
    assert message.startswith("Error: ")
    assert all(name in message for name in variables)
    assert message.count("\n") == 1
    assert "a-token" not in message
    assert "a-hook" not in message


async def test_an_unknown_option_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    finished = await ran(tmp_path, "serve", "--htpp")
    assert finished.returncode == 2
    assert finished.stdout == b""
    assert b"--http" in finished.stderr
    assert b"Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BI_MCP_PORTAL_URL": "https://[x", "BI_MCP_ACCESS_TOKEN": "a-token"}, b"Check BI_MCP_PORTAL_URL"),
        ({"BI_MCP_PROFILE": "nosuch"}, b"No profile 'nosuch'"),
    ],
)
async def test_a_portal_that_cannot_be_meant_ends_the_server_with_one_message(
    tmp_path: Path, variables: dict[str, str], said: bytes
) -> None:
    finished = await ran(tmp_path, **variables)
    assert finished.returncode == 1
    assert said in finished.stderr
    assert b"Traceback" not in finished.stderr
    assert b"a-token" not in finished.stderr
