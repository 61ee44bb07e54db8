"""What is offered to a person who has typed half of an argument, and that a failure offers nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.types import Completion, PromptReference, ResourceTemplateReference

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.server.completion import build_filter
from tests.server.conftest import Era
from tests.server.processes import started
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

CONNECTOR = "bi://connector/{id}"


async def offered(talk: Talk, template: str, value: str) -> Completion:
    ref = ResourceTemplateReference(uri=template)
    return (await talk.client.complete(ref, {"name": "id", "value": value})).completion


@pytest.fixture
def server(server: MCPServer) -> MCPServer:
    """With a prompt that takes everything that can be completed."""

    def wire() -> str:
        return ""

    names = ["connector", "source", "dataset", "table"]
    server.add_prompt(Prompt(name="wire", arguments=[PromptArgument(name=name) for name in names], fn=wire))
    return server


async def asked(talk: Talk, argument: str, value: str, prompt: str = "wire", **others: str) -> Completion:
    ref = PromptReference(name=prompt)
    return (await talk.client.complete(ref, {"name": argument, "value": value}, others)).completion


async def test_the_capability_is_announced(talk: Talk) -> None:
    assert talk.client.server_capabilities.completions is not None


async def test_an_id_is_found_by_its_beginning_and_by_a_word_of_the_title(talk: Talk) -> None:
    ids = [await talk.add_connector(f"Shop {'north' if number % 2 else 'south'}") for number in range(12)]
    assert (await offered(talk, CONNECTOR, "")).values == [str(id) for id in reversed(ids)]
    assert (await offered(talk, CONNECTOR, "1")).values == ["12", "11", "10", "1"]
    assert (await offered(talk, CONNECTOR, "north")).values == ["12", "10", "8", "6", "4", "2"]
    found = await offered(talk, CONNECTOR, "nowhere")
    assert (found.values, found.total, found.has_more) == ([], 0, False)


async def test_no_more_is_offered_than_one_page_and_no_total_is_made_up(talk: Talk) -> None:
    for number in range(51):
        await talk.add_connector(f"Shop {number}")
    page = await offered(talk, CONNECTOR, "shop")
    assert (len(page.values), page.total, page.has_more) == (50, None, True)
    few = await offered(talk, CONNECTOR, "Shop 5")
    assert (few.values, few.total, few.has_more) == (["51", "6"], 2, False)


async def test_for_prompts_the_title_stands_beside_the_id(talk: Talk) -> None:
    connector = await talk.add_connector("Sales, 100%")
    source = await talk.add_source(connector, "Flights of June")
    dataset = await talk.add_dataset(source)
    assert (await asked(talk, "connector", "100%")).values == [f"{connector} Sales, 100%"]
    assert (await asked(talk, "source", "june")).values == [f"{source} Flights of June"]
    assert (await asked(talk, "dataset", "fli", "debug_dataset")).values == [f"{dataset} flights"]
    # What was offered is offered again, when a client asks about it.
    assert (await asked(talk, "dataset", f"{dataset} flights")).values == [f"{dataset} flights"]


async def test_tables_are_those_of_the_source_that_was_chosen_before(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    tables = await asked(talk, "table", "FLI", source=f"{source} Flights")
    assert "flights" in tables.values
    assert all("fli" in value for value in tables.values)
    assert (await asked(talk, "table", "fli")).values == []
    assert (await asked(talk, "table", "fli", source="the old one")).values == []
    assert (await asked(talk, "table", "fli", source="999")).values == []


async def test_languages_are_those_of_the_prompt(talk: Talk) -> None:
    assert (await asked(talk, "language", "", "onboard")).values == ["en", "ru"]
    assert (await asked(talk, "language", "R", "onboard")).values == ["ru"]
    assert (await asked(talk, "language", "", "no_such_prompt")).values == []


@pytest.mark.parametrize(
    ("template", "argument"), [("bi://portal/{id}", "id"), (CONNECTOR, "name"), ("file:///{id}", "id")]
)
async def test_what_is_not_known_has_no_completion(talk: Talk, template: str, argument: str) -> None:
    ref = ResourceTemplateReference(uri=template)
    assert (await talk.client.complete(ref, {"name": argument, "value": ""})).completion.values == []
    await talk.add_connector()
    assert (await asked(talk, "goal", "s", "onboard")).values == []
    assert (await asked(talk, "connector", "", "onboard")).values == []


async def test_a_portal_that_refuses_offers_nothing_and_breaks_nothing(era: Era) -> None:
    app = create_app(LocalPortalSettings(access_token=Secret("the right one")))
    http = HttpTransport("http://localhost", AccessToken(Secret("a wrong one")), app=app)
    async with Client(build_server(Settings(), connect=lambda: BIConnector(http)), mode=era) as client:
        talk = Talk(client)
        assert (await offered(talk, CONNECTOR, "1")).values == []
        assert (await asked(talk, "table", "", source="1")).values == []
        await talk.refused("connector_list")


async def test_over_stdio_it_is_one_answer(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        hello = await wire.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        assert "completions" in hello["capabilities"]
        await wire.notify("notifications/initialized")
        answer = await wire.ask(
            "completion/complete",
            ref={"type": "ref/prompt", "name": "onboard"},
            argument={"name": "language", "value": "e"},
        )
    assert answer["completion"] == {"values": ["en"], "total": 1, "hasMore": False}


@pytest.mark.parametrize("value", ["", "%", "7", "007", "12 Sales", "1C", "9" * 40, "²", "a%b", "-1", "1.5"])
async def test_whatever_is_typed_becomes_a_filter_that_the_portal_takes(talk: Talk, value: str) -> None:
    await talk.done("connector_list", filter=build_filter("title", value))
