"""The `table_*` tools: what the dataset tools do, by `biconnector.table.*` and by nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from mcp import Client

from bi_mcp.config import Generation, Settings
from bi_mcp.rest.methods import TABLE_METHODS
from bi_mcp.server.build import build_server
from tests.rest.calling import Portal, a_portal, add_source
from tests.server.conftest import Era
from tests.server.talking import COLUMNS, Talk, dataset_fields

pytestmark = pytest.mark.anyio

ON_CLASSIC = "This portal has no biconnector.table.*"


@dataclass
class Scene:
    """A server with the table and the dataset tools; `portal.calls` remembers what reached the portal."""

    talk: Talk
    portal: Portal
    source: int

    def methods(self) -> list[str]:
        return [name for name in self.portal.calls.methods if not name.startswith(("connector.", "source."))]


@asynccontextmanager
async def a_scene(settings: Settings, era: Era, generation: Generation = "tables") -> AsyncIterator[Scene]:
    async with a_portal(generation) as portal:
        source = await add_source(portal.bi)
        server = build_server(replace(settings, toolsets=("datasets", "tables")), connect=lambda: portal.bi)
        async with Client(server, mode=era) as client:
            yield Scene(Talk(client), portal, source)


@pytest.fixture
async def scene(settings: Settings, era: Era) -> AsyncIterator[Scene]:
    async with a_scene(settings, era) as scene:
        yield scene


async def test_the_whole_life_of_a_table_uses_the_newer_family_only(scene: Scene) -> None:
    talk = scene.talk
    table = (await talk.done("table_add", fields=dataset_fields(scene.source)))["id"]
    await talk.done("table_update", id=table, fields={"description": "All flights"})
    await talk.done(
        "table_fields_update", id=table, add=[{"name": "DAY", "externalCode": "day", "type": "date"}]
    )
    item = (await talk.done("table_get", id=table))["item"]
    assert (item["description"], item["externalId"]) == ("All flights", 0)
    assert [column["name"] for column in item["fields"]] == ["CARRIER", "DISTANCE", "DAY"]
    first = item["fields"][0]["id"]
    await talk.confirmed("table_fields_update", id=table, delete=[first])
    assert [found["id"] for found in (await talk.done("table_list"))["items"]] == [table]
    assert "name" in (await talk.done("table_fields"))["fields"]
    deleted = await talk.confirmed("table_delete", id=table)
    assert deleted == {"id": table, "deleted": True}
    assert "DATASET_NOT_FOUND" in await talk.refused("table_get", id=table)
    assert set(scene.methods()) == {method.name.removeprefix("biconnector.") for method in TABLE_METHODS}


async def test_both_families_see_the_same_objects(scene: Scene) -> None:
    dataset = (await scene.talk.done("dataset_add", fields=dataset_fields(scene.source)))["id"]
    item = (await scene.talk.done("table_get", id=dataset))["item"]
    assert (item["name"], len(item["fields"])) == ("flights", len(COLUMNS))
    preview = (await scene.talk.done("table_delete", id=dataset))["preview"]
    assert f"BI Builder dataset {item['externalId']} stays behind" in preview["text"]
    deleted = await scene.talk.done("table_delete", id=dataset, confirm=preview["confirm"])
    assert "stays behind" in deleted["notice"]


async def test_the_token_of_a_table_is_none_of_a_dataset(scene: Scene) -> None:
    table = (await scene.talk.done("table_add", fields=dataset_fields(scene.source)))["id"]
    confirm = await scene.talk.preview("table_delete", id=table)
    assert "not the token" in await scene.talk.refused("dataset_delete", id=table, confirm=confirm)


async def test_a_portal_without_the_family_says_so_before_anything_is_asked(
    settings: Settings, era: Era
) -> None:
    async with a_scene(settings, era, "classic") as scene:
        talk = scene.talk
        dataset = (await talk.done("dataset_add", fields=dataset_fields(scene.source)))["id"]
        column = (await talk.done("dataset_get", id=dataset))["item"]["fields"][0]["id"]
        for tool, arguments in {
            "table_add": {"fields": dataset_fields(scene.source, "more")},
            "table_update": {"id": dataset, "fields": {"description": "new"}},
            "table_get": {"id": dataset},
            "table_list": {},
            "table_delete": {"id": dataset},
            "table_fields": {},
            "table_fields_update": {"id": dataset, "delete": [column]},
        }.items():
            text = await talk.refused(tool, **arguments)
            assert ON_CLASSIC in text, tool
            assert "Use biconnector.dataset.*" in text
        assert len((await talk.done("dataset_list"))["items"]) == 1


async def test_the_instructions_say_what_a_table_is_to_a_dataset(scene: Scene) -> None:
    assert scene.talk.client.instructions is not None
    assert "dataset_get applies to table_get" in scene.talk.client.instructions


async def test_a_read_only_server_reads_tables_and_no_more(settings: Settings, era: Era) -> None:
    reading = replace(settings, toolsets=("tables",), read_only=True)
    async with Client(build_server(reading), mode=era) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == ["table_get", "table_list", "table_fields"]
