"""Errors in the language of the user, each server in its own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from mcp import Client

from bi_mcp.cli import main
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import Talk, connector_fields

pytestmark = pytest.mark.anyio

RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)


async def refusals(talk: Talk) -> list[str]:
    connector = await talk.add_connector()
    literal = {"title": "x", "connectorId": connector, "settings": {"password": "hunter2"}}
    unset = literal | {"settings": {"password": {"env": "BI_MCP_SECRET_NONE"}}}
    return [
        await talk.refused("source_add", fields=literal),
        await talk.refused("source_add", fields=unset),
        await talk.refused("workspace_plan", setup="version: 1\nconectors: {}"),
        await talk.refused("workspace_apply", token="none"),
        await talk.refused("connector_delete", id=connector, confirm="none"),
        await talk.refused("connector_get", id=1, of=2),
    ]


async def test_two_servers_in_one_process_speak_their_own_languages(settings: Settings, era: Era) -> None:
    async with (
        Client(build_server(settings), mode=era) as english,
        Client(build_server(replace(settings, language="ru")), mode=era) as russian,
    ):
        for text in await refusals(Talk(english)):
            assert not RUSSIAN.search(text), text
        for text in await refusals(Talk(russian)):
            assert RUSSIAN.search(text), text
            assert "hunter2" not in text


async def test_a_plan_is_shown_in_russian_and_confirmed_in_any_language(settings: Settings) -> None:
    connector = connector_fields()
    setup = f"{{version: 1, connectors: {{air: {connector}}}}}".replace("'", '"')
    async with (
        Client(build_server(settings)) as english,
        Client(build_server(replace(settings, language="ru"))) as russian,
    ):
        plans = [await Talk(client).done("workspace_plan", setup=setup) for client in (english, russian)]
    assert plans[0]["summary"] == "1 to create."
    assert plans[1]["summary"] == "создать: 1."
    assert "+ create connector air" in plans[0]["plan"]
    assert "+ создать коннектор air: На портале его нет." in plans[1]["plan"]
    checksums = [re.search(r"[0-9a-f]{16}", plan["plan"]) for plan in plans]
    assert checksums[0] is not None
    assert checksums[1] is not None
    assert checksums[0][0] == checksums[1][0]


async def test_previews_and_findings_are_in_russian(settings: Settings) -> None:
    async with Client(build_server(replace(settings, language="ru"))) as client:
        talk = Talk(client)
        connector = await talk.add_connector()
        deletion = await talk.done("connector_delete", id=connector)
        status = await talk.done("portal_status")
    assert "будет удалён. От него ничего не зависит." in deletion["preview"]["text"]
    assert status["findings"]
    assert all(RUSSIAN.search(finding["what"]) for finding in status["findings"])


async def test_prompts_follow_the_language_of_the_server(settings: Settings) -> None:
    async with Client(build_server(replace(settings, language="ru"))) as client:
        content = (await client.get_prompt("onboard")).messages[0].content
        assert RUSSIAN.search(getattr(content, "text", ""))
        content = (await client.get_prompt("onboard", {"language": "en"})).messages[0].content
        assert not RUSSIAN.search(getattr(content, "text", ""))


@pytest.mark.parametrize(
    "arguments", [["--language", "ru", "plan", "none"], ["plan", "none", "--language", "ru"]]
)
def test_a_command_speaks_the_language_that_it_is_told(arguments: list[str]) -> None:
    assert "такого файла нет" in CliRunner().invoke(main, arguments).output
    assert "does not exist" in CliRunner().invoke(main, ["plan", "none"]).output


def test_a_variable_says_the_language_once_for_all_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_LANGUAGE", "ru")
    assert "такого файла нет" in CliRunner().invoke(main, ["plan", "none"]).output
    assert "does not exist" in CliRunner().invoke(main, ["--language", "en", "plan", "none"]).output


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose"],
        ["diagnose", "1", "--source", "1"],
        ["undo"],
        ["map", "--json", "--mermaid"],
        ["login"],
        ["install", "cursor", "--profile", "x", "--env", "BI_MCP_PORTAL_URL"],
    ],
    ids=" ".join,
)
def test_how_a_command_is_used_is_told_in_russian(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setenv("BI_MCP_CONFIG_DIR", str(tmp_path))
    ended = CliRunner().invoke(main, ["--language", "ru", *arguments])
    assert ended.exit_code == 2
    assert RUSSIAN.search(ended.output.splitlines()[-1]), ended.output
