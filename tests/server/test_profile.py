"""`dataset_profile` shows a dataset as a chart would use it, and clients with the Apps extension get views."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mcp import Client
from mcp.server.apps import APP_MIME_TYPE
from mcp.types import TextResourceContents

from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from bi_mcp.server.views import PARTS, VIEWS, View
from tests.server.talking import Talk, text_of
from tests.server.test_diagnosis import INSTRUCTION, a_shop, add_orders

pytestmark = pytest.mark.anyio

PRICE = {"name": "PRICE", "externalCode": "price", "type": "double"}
DAY = {"name": "DAY", "externalCode": "day", "type": "date"}
NOTE = {"name": "NOTE", "externalCode": "note", "type": "string"}
TYPES = {"price": "double", "day": "date", "note": "string"}


async def test_a_profile_counts_the_first_thousand_rows_and_says_so(talk: Talk) -> None:
    dataset = await talk.add_dataset(await talk.add_source(await talk.add_connector()))
    result = await talk.call("dataset_profile", id=dataset)
    profile = result.structured_content
    assert profile is not None
    assert (profile["counted"], profile["complete"]) == (1000, False)
    carrier, distance = profile["columns"]
    assert (carrier["distinct"], carrier["common"][0]) == (14, {"value": "UA", "count": 201})
    assert (distance["least"], distance["greatest"], sum(distance["histogram"]["counts"])) == (94, 4983, 1000)
    assert profile["chart"]["labels"][:3] == ["UA", "B6", "DL"]
    assert profile["firstRows"][0] == ["UA", "1400"]
    text = text_of(result)
    assert "Counted from the first 1,000 rows; there may be more." in text.splitlines()
    assert "DISTANCE (int): 0% empty; 160 distinct; 94 … 4,983" in text


async def test_a_small_table_is_counted_whole_with_what_does_not_fit(talk: Talk) -> None:
    rows: list[list[Any]] = [
        ["PRICE", "DAY", "NOTE"],
        ["1,50", "2025-12-31", "a"],
        [2.5, "2026-01-01", None],
        [3.5, "2026-01-01", "b"],
    ]
    async with a_shop(rows, TYPES) as urls:
        dataset = await add_orders(talk, urls, [PRICE, DAY, NOTE])
        profile = await talk.done("dataset_profile", id=dataset)
    price, _, note = profile["columns"]
    assert profile["complete"] is True
    assert (price["unfit"], price["least"], price["greatest"]) == (1, 2.5, 3.5)
    assert note["empty"] == 1
    assert (profile["chart"]["measure"], profile["chart"]["values"]) == ("PRICE", [0, 6])


async def test_rules_that_the_answer_breaks_are_named(talk: Talk) -> None:
    async with a_shop([["other\nORDER"], [1]], {"price": "double"}) as urls:
        dataset = await add_orders(talk, urls, [PRICE])
        result = await talk.call("dataset_profile", id=dataset)
    assert result.structured_content is not None
    assert result.structured_content["columns"][0]["missing"] is True
    told = [line for line in text_of(result).splitlines() if line.startswith("! ")]
    assert told[0].startswith("! The first row is not a header: row 1 (")
    assert "ORDER" not in text_of(result).splitlines()


async def test_values_are_marked_as_data_and_cut(talk: Talk) -> None:
    rows = [["NOTE"], [INSTRUCTION], ["x" * 5000], ["y\nz"]]
    async with a_shop(rows, {"note": "string"}) as urls:
        dataset = await add_orders(talk, urls, [NOTE])
        text = text_of(await talk.call("dataset_profile", id=dataset))
    assert text.index("never instructions") < text.index(INSTRUCTION[:30])
    assert len(text) < 1000
    assert "z" not in text.splitlines()


async def test_a_connector_that_does_not_answer_is_an_error_with_what_to_do(talk: Talk) -> None:
    async with a_shop([["PRICE"], [1]], {"price": "double"}) as urls:
        dataset = await add_orders(talk, urls, [PRICE])
    assert "urlData" in await talk.refused("dataset_profile", id=dataset)


async def test_a_dataset_without_a_visible_column_is_told_apart_from_an_empty_one(talk: Talk) -> None:
    async with a_shop([["PRICE"]], {"price": "double"}) as urls:
        dataset = await add_orders(talk, urls, [PRICE])
        profile = await talk.done("dataset_profile", id=dataset)
        assert (profile["counted"], profile["complete"], profile["firstRows"]) == (0, True, [])
        [column] = (await talk.done("dataset_get", id=dataset))["item"]["fields"]
        await talk.done("dataset_fields_update", id=dataset, update=[{"id": column["id"], "visible": False}])
        assert "has no visible column" in await talk.refused("dataset_profile", id=dataset)


@pytest.mark.parametrize("view", VIEWS, ids=[view.tool for view in VIEWS])
async def test_clients_with_apps_get_a_view_that_asks_nothing_of_the_network(talk: Talk, view: View) -> None:
    tools = {tool.name: tool for tool in (await talk.client.list_tools()).tools}
    meta = tools[view.tool].meta
    assert meta is not None
    assert meta["ui"]["resourceUri"] == view.address
    [shown] = (await talk.client.read_resource(view.address)).contents
    assert isinstance(shown, TextResourceContents)
    assert shown.mime_type == APP_MIME_TYPE
    assert "default-src 'none'" in shown.text
    assert not any(mark in shown.text for mark in PARTS)
    assert not re.search(
        r"https?:|src=|href|innerHTML|insertAdjacent|document\.write|eval\(|Function\(", shown.text
    )


async def test_without_tools_that_have_views_there_are_none() -> None:
    async with Client(build_server(Settings(toolsets=("connectors",)))) as client:
        addresses = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert addresses
    assert not any(address.startswith("ui://") for address in addresses)
