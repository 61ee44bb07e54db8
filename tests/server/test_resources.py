"""What a client reads without calling a tool, and what it is told when there is nothing to read."""

from __future__ import annotations

import json

import pytest
from mcp import Client, MCPError

from bi_mcp.base.secret import Secret
from bi_mcp.config import Settings
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

GROUPS = ["connector", "source", "dataset"]
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603


@pytest.fixture
async def ids(talk: Talk) -> dict[str, int]:
    """One object of each group."""
    connector = await talk.add_connector()
    source = await talk.add_source(connector)
    return {"connector": connector, "source": source, "dataset": await talk.add_dataset(source)}


async def refused(talk: Talk, uri: str) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await talk.client.read_resource(uri)
    return caught.value


async def test_the_fields_of_every_group_are_listed_for_people_and_programs(talk: Talk) -> None:
    listed = (await talk.client.list_resources()).resources
    resources = [resource for resource in listed if resource.uri.startswith("bi://")]
    assert [(resource.uri, resource.title, resource.mime_type) for resource in resources] == [
        ("bi://history", "What was changed", "application/json"),
        ("bi://connector/fields", "Fields of a connector", "application/json"),
        ("bi://connector/fields/full", "Fields of a connector, in full", "application/json"),
        ("bi://source/fields", "Fields of a source", "application/json"),
        ("bi://source/fields/full", "Fields of a source, in full", "application/json"),
        ("bi://dataset/fields", "Fields of a dataset", "application/json"),
        ("bi://dataset/fields/full", "Fields of a dataset, in full", "application/json"),
    ]
    assert all(resource.description for resource in resources)


async def test_single_objects_are_offered_as_templates(talk: Talk) -> None:
    templates = (await talk.client.list_resource_templates()).resource_templates
    assert [(template.uri_template, template.title, template.mime_type) for template in templates] == [
        ("bi://connector/{id}", "One connector", "application/json"),
        ("bi://source/{id}", "One source", "application/json"),
        ("bi://dataset/{id}", "One dataset", "application/json"),
    ]
    assert all(template.description for template in templates)


@pytest.mark.parametrize("group", GROUPS)
async def test_fields_name_what_is_required(talk: Talk, group: str) -> None:
    short = json.loads(await talk.read(f"bi://{group}/fields"))["fields"]
    name = "name" if group == "dataset" else "title"
    assert short[name].startswith("string, required")
    # The vendor marks what a portal sets itself as required, too.
    assert short["id"] == "integer, read only"
    full = json.loads(await talk.read(f"bi://{group}/fields/full"))["fields"]
    assert [field["title"] for field in full] == list(short)
    assert {"isRequired", "isReadOnly", "isImmutable", "isMultiple"} <= full[0].keys()
    assert len(json.dumps(short)) < len(json.dumps(full)) / 3


@pytest.mark.parametrize("group", GROUPS)
async def test_an_object_reads_as_the_get_tool_answers_it(
    talk: Talk, ids: dict[str, int], group: str
) -> None:
    answer = await talk.done(f"{group}_get", id=ids[group])
    assert answer["item"]["id"] == ids[group]
    assert json.loads(await talk.read(f"bi://{group}/{ids[group]}")) == answer


async def test_a_source_reads_without_the_values_that_may_be_secret(talk: Talk, ids: dict[str, int]) -> None:
    text = await talk.read(f"bi://source/{ids['source']}")
    settings = json.loads(text)["item"]["settings"]
    assert [(setting["code"], setting["set"], setting.get("value")) for setting in settings] == [
        ("login", True, "demo"),
        ("password", True, None),
    ]
    assert "demo-password" not in text


async def test_everything_read_says_that_the_portal_is_not_the_users(talk: Talk, ids: dict[str, int]) -> None:
    for group in GROUPS:
        for uri in (f"bi://{group}/fields", f"bi://{group}/{ids[group]}"):
            assert "not the user's Bitrix24" in json.loads(await talk.read(uri))["notice"]


@pytest.mark.parametrize("group", GROUPS)
async def test_an_object_that_does_not_exist_is_an_error_with_advice(talk: Talk, group: str) -> None:
    uri = f"bi://{group}/404"
    error = await refused(talk, uri)
    assert error.code == INVALID_PARAMS
    assert f"{group.upper()}_NOT_FOUND" in error.message
    assert f"{group}_list shows" in error.message
    assert error.data == {"uri": uri}


@pytest.mark.parametrize(
    "id",
    ["abc", "0", "-1", "1.5", "²", "9" * 5000],
    ids=["word", "zero", "negative", "fraction", "superscript", "huge"],
)
async def test_an_id_that_is_no_number_is_an_error_with_advice(talk: Talk, id: str) -> None:
    error = await refused(talk, f"bi://source/{id}")
    assert error.code == INVALID_PARAMS
    assert "an id is a positive whole number" in error.message
    assert "source_list" in error.message


@pytest.mark.parametrize("uri", ["bi://nosuch/fields", "bi://source/1/settings", "bi://source/"])
async def test_an_unknown_address_is_named_in_the_error(talk: Talk, uri: str) -> None:
    error = await refused(talk, uri)
    assert error.code == INVALID_PARAMS
    assert uri in error.message


@pytest.mark.usefixtures("without_pauses")
async def test_a_portal_that_cannot_be_reached_is_an_error_with_advice(era: Era) -> None:
    # Nothing listens on port 1.
    settings = Settings(portal_url="http://127.0.0.1:1", access_token=Secret("a-token"))
    async with Client(build_server(settings), mode=era) as client:
        error = await refused(Talk(client), "bi://source/fields")
    assert error.code == INTERNAL_ERROR
    assert "127.0.0.1:1 could not be reached" in error.message
    assert "Check the portal's address" in error.message
