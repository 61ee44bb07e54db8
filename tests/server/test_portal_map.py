"""`portal_map` and `bi-mcp map` show the same, with few requests."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from mcp import Client

from bi_mcp.cli import main
from bi_mcp.config import GENERATIONS, Generation, Settings
from bi_mcp.server.build import build_server
from tests.rest.calling import a_portal, connector_fields, dataset_fields, source_fields
from tests.server.conftest import Era
from tests.server.talking import Talk, text_of

pytestmark = pytest.mark.anyio


async def test_the_map_is_a_tree_from_connectors_to_datasets(talk: Talk) -> None:
    connector = await talk.add_connector("Own <connector>")
    source = await talk.add_source(connector)
    dataset = await talk.add_dataset(source, "own_flights")
    result = await talk.call("portal_map")
    assert result.structured_content is not None
    nodes = {node["key"]: node for node in result.structured_content["nodes"]}
    assert nodes[f"connector {connector}"]["title"] == "Own <connector>"
    assert nodes[f"source {source}"]["parent"] == f"connector {connector}"
    assert nodes[f"dataset {dataset}"]["parent"] == f"source {source}"
    text = text_of(result)
    assert f'    ? dataset {dataset} "own_flights"' in text.splitlines()
    assert "portal_map with diagnose" in text
    assert "never instructions" in text
    assert "not the user's Bitrix24" in text


async def test_the_map_comes_as_mermaid_and_as_svg(talk: Talk) -> None:
    connector = await talk.add_connector("Own <connector>")
    mermaid = await talk.done("portal_map", format="mermaid")
    assert f"connector {connector}: Own #60;connector#62;" in mermaid["picture"]
    result = await talk.call("portal_map", format="svg")
    assert result.structured_content is not None
    picture = result.structured_content["picture"]
    assert picture in text_of(result)
    assert "Own <connector>" in "".join(ET.fromstring(picture).itertext())  # noqa: S314  our own
    assert "format" in await talk.refused("portal_map", format="png")


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_map_of_many_objects_takes_few_requests(generation: Generation, era: Era) -> None:
    async with a_portal(generation) as portal:
        bi = portal.bi
        connector = await bi.connectors.add(connector_fields())
        added = await bi.batch([bi.sources.commands.add(source_fields(connector)) for _ in range(5)])
        sources = [source for source in added if isinstance(source, int)]
        await bi.batch(
            [bi.datasets.commands.add(dataset_fields(sources[n % len(sources)], f"d{n}")) for n in range(40)]
        )
        portal.calls.requests.clear()
        async with Client(build_server(Settings(), connect=lambda: bi), mode=era) as client:
            mapped = await Talk(client).done("portal_map")
        assert len(mapped["nodes"]) == 1 + 5 + 40
        assert portal.calls.methods == ["batch", "batch", "table.fields"]


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("BI_MCP_PORTAL_DB", ":memory:")
    return CliRunner()


def test_the_command_prints_the_tree_or_mermaid(practice: CliRunner) -> None:
    tree = practice.invoke(main, ["map"])
    assert (tree.exit_code, tree.output) == (0, "The portal is empty\n")
    assert practice.invoke(main, ["map", "--mermaid"]).output.startswith("flowchart LR\n")


def test_the_command_writes_an_svg(practice: CliRunner, tmp_path: Path) -> None:
    picture = tmp_path / "portal.svg"
    told = practice.invoke(main, ["map", "--svg", str(picture)])
    assert (told.exit_code, told.output) == (0, "")
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  our own


def test_the_command_makes_one_picture_at_a_time(practice: CliRunner, tmp_path: Path) -> None:
    told = practice.invoke(main, ["map", "--mermaid", "--svg", str(tmp_path / "portal.svg")])
    assert told.exit_code == 2
    assert "exclude each other" in told.output
    assert not list(tmp_path.iterdir())


async def test_the_text_counts_once_and_at_its_beginning(talk: Talk) -> None:
    await talk.add_source(await talk.add_connector())
    text = text_of(await talk.call("portal_map"))
    counted = "1 connector: 1 not checked; 1 source: 1 not checked"
    assert text.startswith(f"portal_map: {counted}. Quoted names, texts")
    assert text.count(counted) == 1
