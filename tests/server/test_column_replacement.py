"""dataset_columns_replace, through a real client: one preview, one confirmation, the columns with their new ids."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from mcp import Client

from bi_mcp.config import Settings
from bi_mcp.diagnostics.dataset.repair_calls import REPLACED
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

CODE = [{"name": "DISTANCE", "externalCode": "AIR_TIME"}]


@pytest.fixture
async def recorded(settings: Settings, tmp_path: Path, era: Era) -> AsyncIterator[Talk]:
    keeping = replace(settings, configuration_folder=tmp_path)
    async with Client(build_server(keeping), mode=era) as client:
        yield Talk(client)


async def add_flights(talk: Talk) -> int:
    return await talk.add_dataset(await talk.add_source(await talk.add_connector()))


async def test_a_column_is_replaced_in_one_confirmed_change_and_undone_as_one(recorded: Talk) -> None:
    dataset = await add_flights(recorded)
    before = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
    answer = await recorded.confirmed("dataset_columns_replace", id=dataset, columns=CODE)
    [column] = answer["columns"]
    assert (column["name"], column["externalCode"], column["type"]) == ("DISTANCE", "AIR_TIME", "int")
    after = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
    assert column["id"] in [each["id"] for each in after]
    assert len(after) == len(before)
    [addition, deletion, *_] = json.loads(await recorded.read("bi://history"))["entries"]
    assert addition["change"] == deletion["change"]
    undone = await recorded.confirmed("workspace_undo", entry=deletion["id"])
    assert [step["entry"] for step in undone["steps"]] == [addition["id"], deletion["id"]]
    again = (await recorded.done("dataset_get", id=dataset))["item"]["fields"]
    assert [each["externalCode"] for each in again] == [each["externalCode"] for each in before]


async def test_the_preview_says_what_changes_and_nothing_has(talk: Talk) -> None:
    dataset = await add_flights(talk)
    before = await talk.done("dataset_get", id=dataset)
    columns = [{"name": "CARRIER", "type": "int"}, *CODE]
    text = (await talk.done("dataset_columns_replace", id=dataset, columns=columns))["preview"]["text"]
    assert "CARRIER: string → int" in text
    assert "DISTANCE: DISTANCE → AIR_TIME" in text
    assert "new ids" in text
    assert await talk.done("dataset_get", id=dataset) == before


@pytest.mark.parametrize(
    "column", [{"id": "DISTANCE"}, {"column": "DISTANCE"}, {"columnId": "DISTANCE"}, {"name": "DISTANCE"}]
)
async def test_a_column_is_named_by_its_name_in_place_of_its_id(talk: Talk, column: dict[str, str]) -> None:
    dataset = await add_flights(talk)
    answer = await talk.confirmed(
        "dataset_columns_replace", id=dataset, columns=[column | {"externalCode": "AIR_TIME"}]
    )
    [replaced] = answer["columns"]
    assert (replaced["name"], replaced["externalCode"]) == ("DISTANCE", "AIR_TIME")


async def test_a_table_is_not_taken_for_the_code_of_a_column(talk: Talk) -> None:
    dataset = await add_flights(talk)
    wrong = [{"id": "DISTANCE", "table": "AIR_TIME"}]
    text = await talk.refused("dataset_columns_replace", id=dataset, columns=wrong)
    assert "columns[0].table is unknown" in text
    text = await talk.refused(
        "dataset_columns_replace", id=dataset, columns=[{"id": "NOWHERE", "type": "int"}]
    )
    assert "columns[0].id: none has this title" in text


async def test_what_charts_lose_is_said_once_and_in_one_way(talk: Talk) -> None:
    dataset = await add_flights(talk)
    text = (await talk.done("dataset_columns_replace", id=dataset, columns=CODE))["preview"]["text"]
    assert text.count(REPLACED) == 1
    assert text.count("Charts are not visible from here.") == 1
    assert "epends on it" not in text


async def test_what_cannot_be_replaced_is_refused_before_anyone_is_asked(talk: Talk) -> None:
    dataset = await add_flights(talk)
    clash = [{"name": "DISTANCE", "externalCode": "CARRIER"}]
    assert "would be there twice" in await talk.refused("dataset_columns_replace", id=dataset, columns=clash)
    same = [{"name": "DISTANCE", "type": "int"}]
    assert "would stay as it is" in await talk.refused("dataset_columns_replace", id=dataset, columns=same)
    unknown = [{"id": 999, "type": "int"}]
    assert "no column 999" in await talk.refused("dataset_columns_replace", id=dataset, columns=unknown)


async def test_a_preview_does_not_hold_for_other_columns(talk: Talk) -> None:
    dataset = await add_flights(talk)
    confirm = await talk.preview("dataset_columns_replace", id=dataset, columns=CODE)
    other = [{"name": "CARRIER", "type": "int"}]
    await talk.refused("dataset_columns_replace", id=dataset, columns=other, confirm=confirm)


async def test_tables_have_the_same_tool(settings: Settings) -> None:
    served = replace(settings, toolsets=("datasets", "connectors", "sources", "tables"))
    async with Client(build_server(served)) as client:
        talk = Talk(client)
        dataset = await add_flights(talk)
        [column] = (await talk.confirmed("table_columns_replace", id=dataset, columns=CODE))["columns"]
        assert column["externalCode"] == "AIR_TIME"
