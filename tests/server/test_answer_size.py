"""Answers that would fill a model's context are cut, say so, and say how to get the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from bi_mcp.config import Settings
from bi_mcp.rest.models import NewColumn
from bi_mcp.server.build import build_server
from bi_mcp.server.tools.answer_size import LONGEST_TEXT, MOST_CHARACTERS, compact, fit
from tests.rest.calling import a_portal, add_source, dataset_fields
from tests.server.conftest import Era
from tests.server.talking import Talk, text_of

pytestmark = pytest.mark.anyio

WIDE = 1_500


def sizes(result: CallToolResult) -> tuple[int, int]:
    return len(text_of(result)), len(compact(result.structured_content))


def bounded(result: CallToolResult) -> bool:
    # The text has a headline before what the structured content holds.
    return max(sizes(result)) <= MOST_CHARACTERS + 1_000


async def test_a_dataset_of_many_columns_comes_by_pages(era: Era) -> None:
    async with a_portal() as portal:
        columns = [
            NewColumn(name=f"COLUMN_{number}", external_code=f"code_{number}", type="string")
            for number in range(WIDE)
        ]
        source = await add_source(portal.bi)
        fields = dataset_fields(source).model_copy(update={"fields": columns})
        dataset = await portal.bi.datasets.add(fields)
        async with Client(build_server(Settings(), connect=lambda: portal.bi), mode=era) as client:
            talk = Talk(client)
            first = await talk.call("dataset_get", id=dataset)
            assert bounded(first)
            assert "Columns 1 to 200 of 1500. Get page 2 for the next." in text_of(first)
            names = list[str]()
            for page in range(1, 9):
                item = (await talk.done("dataset_get", id=dataset, page=page))["item"]
                names += [column["name"] for column in item["fields"]]
            assert names == [column.name for column in columns]
            assert "the last page is 8" in await talk.refused("dataset_get", id=dataset, page=9)
            assert len(await talk.read(f"bi://dataset/{dataset}")) <= MOST_CHARACTERS


async def test_a_list_with_long_descriptions_is_cut_with_what_to_do(era: Era) -> None:
    async with a_portal() as portal:
        source = await add_source(portal.bi)
        await portal.bi.batch(
            [
                portal.bi.datasets.commands.add(
                    dataset_fields(source, f"d{number}").model_copy(update={"description": "Д" * 10_000})
                )
                for number in range(50)
            ]
        )
        async with Client(build_server(Settings(), connect=lambda: portal.bi), mode=era) as client:
            talk = Talk(client)
            listed = await talk.call("dataset_list")
            assert bounded(listed)
            assert listed.structured_content is not None
            assert "select" in listed.structured_content["notice"]
            assert len(listed.structured_content["items"]) == 50
            assert "(10000 characters)" in text_of(listed)
            whole = await talk.done("dataset_list", select=["id", "name"])
            assert "notice" not in whole or "Shortened" not in whole["notice"]
            mapped = await talk.call("portal_map", format="svg")
            assert bounded(mapped)


def test_what_fits_is_left_as_it_is() -> None:
    content = {"items": [{"id": 1, "description": "x" * (2 * LONGEST_TEXT)}]}
    assert fit(content, ("items",), "") is content


def test_of_too_many_entries_the_first_stay_and_are_counted() -> None:
    content: dict[str, Any] = {
        "findings": [{"what": f"{number:05}" * 20, "call": {"a": "x" * 600}} for number in range(500)],
        "notice": "The notice of the answer.",
    }
    cut = fit(content, ("findings",), "Mend these first.")
    assert len(compact(cut)) <= MOST_CHARACTERS
    assert cut["findings"] == content["findings"][: len(cut["findings"])]
    assert f"the first {len(cut['findings'])} of 500. Mend these first. The notice" in cut["notice"]
    assert json.loads(compact(cut)) == cut
