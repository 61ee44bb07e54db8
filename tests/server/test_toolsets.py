"""Which tools a server offers: `--toolsets` chooses groups, `--read-only` leaves out all that write."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import Tool

from bi_mcp.app.build import build_app
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.errors import ConfigError, InvalidRequestError
from bi_mcp.rest.methods import METHODS, Effect
from bi_mcp.server.build import build_server
from bi_mcp.server.tools import COMPACT, ON_DEMAND, TOOLS, TOOLSETS, choose_tools
from tests.server.conftest import Era
from tests.server.processes import MODERN, ran, started
from tests.server.talking import Talk, connector_fields

pytestmark = pytest.mark.anyio

READING_METHODS = {method.tool for method in METHODS if method.effect is Effect.READ}
READ_ONLY_LIMIT = 10_000
DEFAULT_LIMIT = 28_000
COMPACT_LIMIT = 14_000
MOST_IN_COMPACT = 15
INSTRUCTIONS_LIMIT = 1_200


async def offered(settings: Settings, era: Era = "auto") -> list[Tool]:
    async with Client(build_server(settings), mode=era) as client:
        return (await client.list_tools()).tools


def size(tools: list[Tool]) -> int:
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return len(json.dumps(listed, ensure_ascii=False, separators=(",", ":")))


async def test_a_read_only_server_has_every_reading_tool_and_no_other(settings: Settings, era: Era) -> None:
    tools = await offered(replace(settings, read_only=True), era)
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    names = {tool.name for tool in tools}
    assert names >= READING_METHODS | {tool.name for tool in TOOLSETS["diagnostics"]}
    assert names == {tool.name for tool in TOOLS if tool.effect is Effect.READ} | {"connector_check"}


async def test_a_read_only_server_knows_no_tool_that_writes(settings: Settings, era: Era) -> None:
    async with Client(build_server(replace(settings, read_only=True)), mode=era) as client:
        talk = Talk(client)
        text = await talk.refused("connector_add", fields=connector_fields())
        assert text == "Unknown tool: connector_add"
        assert (await talk.done("connector_list"))["items"] == []


async def test_a_read_only_server_sends_nothing_to_addresses_that_a_model_chose(
    settings: Settings, era: Era, tmp_path: Path
) -> None:
    settings = replace(settings, embedded=LocalPortalSettings(database=str(tmp_path / "portal.sqlite3")))
    async with Client(build_server(settings)) as client:
        source = await Talk(client).add_source(await Talk(client).add_connector())
    async with Client(build_server(replace(settings, read_only=True)), mode=era) as client:
        talk = Talk(client)
        checked = await talk.done("connector_check", source=source, table="flights")
        assert checked["verdict"] == "ok"
        text = await talk.refused("connector_check", source=source, urls={"urlCheck": "https://a.example/"})
        assert "urls" in text
        assert "was not sent" in text


async def test_a_read_only_server_does_not_speak_of_creating(settings: Settings, era: Era) -> None:
    async with Client(build_server(replace(settings, read_only=True)), mode=era) as client:
        assert client.instructions is not None
        assert "read-only" in client.instructions
        assert "confirm" not in client.instructions
        assert "before you add" not in client.instructions
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == [
            "debug_dataset",
            "review_portal",
        ]


async def test_a_real_portal_of_a_read_only_server_is_called_so(settings: Settings) -> None:
    real = replace(settings, portal_url="https://acme.example", access_token=Secret("token"), read_only=True)
    async with Client(build_server(real)) as client:
        assert client.instructions is not None
        assert "acme.example, read only." in client.instructions
        assert "changes are real" not in client.instructions


async def test_the_lists_stay_small_enough_for_every_chat(settings: Settings) -> None:
    assert size(await offered(settings)) < DEFAULT_LIMIT
    assert size(await offered(replace(settings, read_only=True))) < READ_ONLY_LIMIT


async def test_the_compact_set_is_small_and_holds_what_the_work_needs(settings: Settings, era: Era) -> None:
    tools = await offered(replace(settings, toolsets=(COMPACT,)), era)
    names = {tool.name for tool in tools}
    assert len(tools) <= MOST_IN_COMPACT
    assert size(tools) < COMPACT_LIMIT
    assert names <= {tool.name for tool in TOOLS}
    assert {"dataset_propose", "dataset_add", "dataset_diagnose", "source_update", "workspace_undo"} <= names
    assert all(tool.output_schema is None for tool in tools)


async def test_the_compact_set_onboards_a_table_and_takes_it_back(
    settings: Settings, era: Era, tmp_path: Path
) -> None:
    chosen = replace(settings, toolsets=(COMPACT,), configuration_folder=tmp_path)
    async with Client(build_server(chosen), mode=era) as client:
        talk = Talk(client)
        await talk.add_source(await talk.add_connector())
        proposed = await talk.done("dataset_propose", source="Flights", table="flights")
        dataset = await talk.done("dataset_add", fields=proposed["fields"])
        assert (await talk.done("dataset_diagnose", id=dataset["item"]["name"]))["id"] == dataset["id"]
        assert (await talk.confirmed("workspace_undo", entry=await talk.last_entry()))["undone"] is True
        mapped = {node["title"] for node in (await talk.done("portal_map"))["nodes"]}
        assert "Flights" in mapped
        assert dataset["item"]["name"] not in mapped
        assert "DATASET_NOT_FOUND" in await talk.refused("dataset_preview", id=dataset["id"])


async def test_compact_may_be_joined_by_groups(settings: Settings) -> None:
    names = [tool.name for tool in await offered(replace(settings, toolsets=(COMPACT, "sources")))]
    assert {"source_delete", "portal_map"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("changes", [{}, {"read_only": True}, {"toolsets": (COMPACT,)}], ids=str)
async def test_the_instructions_are_short_and_name_only_tools_that_are_offered(
    settings: Settings, changes: dict[str, Any]
) -> None:
    async with Client(build_server(replace(settings, **changes))) as client:
        said = client.instructions or ""
        offered_names = {tool.name for tool in (await client.list_tools()).tools}
    assert len(said) <= INSTRUCTIONS_LIMIT
    known = {tool.name for tools in TOOLSETS.values() for tool in tools}
    named = set(re.findall(r"[a-z]+(?:_[a-z]+)+", said)) & known
    assert {"portal_map", "dataset_diagnose", "connector_check"} <= named <= offered_names
    assert said.startswith("Names work as ids.")
    # A list of tools, not the letters of one's name.
    assert not re.search(r"\b[a-z];", said)


async def test_each_task_of_the_instructions_begins_with_its_tool(settings: Settings) -> None:
    async with Client(build_server(settings)) as client:
        said = client.instructions or ""
    assert "Chart empty or wrong: dataset_diagnose; if unknown which: portal_map diagnose;" in said
    assert "only sometimes: connector_check repeat" in said
    assert "New service: connector_check, connector_add" in said
    assert "New table: source_tables, dataset_propose, dataset_add" in said
    assert "Wrong source or table: dataset_propose like" in said
    assert "bi-mcp connector serve" in said
    assert "look before repeating" in said
    assert "call again with its confirm" in said


@pytest.mark.parametrize("group", list(TOOLSETS))
async def test_a_group_offers_its_own_tools_only(settings: Settings, era: Era, group: str) -> None:
    tools = await offered(replace(settings, toolsets=(group,)), era)
    assert [tool.name for tool in tools] == [tool.name for tool in TOOLSETS[group]]


async def test_groups_come_in_their_own_order_however_they_are_named(settings: Settings) -> None:
    tools = await offered(replace(settings, toolsets=("sources", "connectors", "sources")))
    expected = [*TOOLSETS["connectors"], *TOOLSETS["sources"]]
    assert [tool.name for tool in tools] == [tool.name for tool in expected]


async def test_without_a_choice_there_is_all_but_what_must_be_asked_for(settings: Settings) -> None:
    expected = [tool.name for group, tools in TOOLSETS.items() if group not in ON_DEMAND for tool in tools]
    assert [tool.name for tool in await offered(settings)] == expected


async def test_the_model_is_told_which_groups_it_was_given(settings: Settings, era: Era) -> None:
    chosen = replace(settings, toolsets=("sources", "diagnostics"))
    async with Client(build_server(chosen), mode=era) as client:
        assert client.instructions is not None
        assert "Groups of tools chosen: sources, diagnostics." in client.instructions
        assert "onboard" not in {prompt.name for prompt in (await client.list_prompts()).prompts}


def test_no_two_tools_have_one_name() -> None:
    names = [tool.name for tools in TOOLSETS.values() for tool in tools]
    assert len(names) == len(set(names))


def test_an_unknown_group_is_named_with_those_that_there_are(settings: Settings) -> None:
    with pytest.raises(
        ConfigError, match=r"no group of tools 'charts'\. .*connectors, .*, tables, compact\.$"
    ):
        build_server(replace(settings, toolsets=("sources", "charts")))
    assert choose_tools(("sources",)) == TOOLSETS["sources"]


async def test_an_unknown_group_ends_the_server_before_it_starts(tmp_path: Path) -> None:
    ended = await ran(tmp_path, "serve", "--toolsets", "charts")
    assert ended.returncode == 1
    assert ended.stderr.decode().startswith("Error: --toolsets (BI_MCP_TOOLSETS): there is no group of tools")


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (("serve", "--read-only", "--toolsets=sources"), {}),
        ((), {"BI_MCP_READ_ONLY": "on", "BI_MCP_TOOLSETS": "sources"}),
    ],
)
async def test_options_and_variables_choose_alike(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    async with started(tmp_path, *options, **variables) as wire:
        tools = (await wire.ask("tools/list", **MODERN))["tools"]
        assert [tool["name"] for tool in tools] == ["source_get", "source_list", "source_fields"]


async def test_what_is_no_tool_cannot_write_either(settings: Settings) -> None:
    app = build_app(replace(settings, read_only=True))
    try:
        with pytest.raises(InvalidRequestError, match=r"connector\.delete was not sent: .* locked read-only"):
            await app.bi.connectors.delete(1)
        assert (await app.bi.connectors.list_page()).items == []
    finally:
        await app.aclose()
