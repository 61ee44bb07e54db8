"""The 19 tools through a real MCP client, in both protocol versions, against the practice portal and connector."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from mcp import Client

from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice import sample
from bi_mcp.rest import BIConnector
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import COLUMNS, Talk, connector_fields, dataset_fields, text_of

pytestmark = pytest.mark.anyio


async def test_the_main_job_from_nothing_to_a_dataset_and_back(talk: Talk) -> None:
    connector = await talk.add_connector()
    source = await talk.add_source(connector)
    dataset = await talk.add_dataset(source)

    columns = (await talk.done("dataset_get", id=dataset))["item"]["fields"]
    assert [(column["name"], column["externalCode"], column["type"]) for column in columns] == [
        (column["name"], column["externalCode"], column["type"]) for column in COLUMNS
    ]
    await talk.done(
        "dataset_fields_update",
        id=dataset,
        add=[{"name": "FLIGHT_DATE", "externalCode": "FLIGHT_DATE", "type": "date"}],
        update=[{"id": columns[0]["id"], "visible": False}],
    )
    columns = (await talk.done("dataset_get", id=dataset))["item"]["fields"]
    assert [(column["name"], column["visible"]) for column in columns] == [
        ("CARRIER", False),
        ("DISTANCE", True),
        ("FLIGHT_DATE", True),
    ]
    listed = await talk.done("dataset_list", filter={"sourceId": source})
    assert [(item["id"], item["sourceId"]) for item in listed["items"]] == [(dataset, source)]

    assert (await talk.confirmed("dataset_delete", id=dataset))["deleted"] is True
    assert (await talk.confirmed("source_delete", id=source))["deleted"] is True
    assert (await talk.confirmed("connector_delete", id=connector))["deleted"] is True
    assert (await talk.done("connector_list"))["items"] == []


async def test_an_update_changes_what_was_passed_and_nothing_else(talk: Talk) -> None:
    connector = await talk.add_connector()
    await talk.done("connector_update", id=connector, fields={"description": "new"})
    item = (await talk.done("connector_get", id=connector))["item"]
    assert item["description"] == "new"
    assert item["title"] == "Sample"

    source = await talk.add_source(connector)
    await talk.done("source_update", id=source, fields={"title": "renamed"})
    assert (await talk.done("source_get", id=source))["item"]["title"] == "renamed"

    dataset = await talk.add_dataset(source)
    await talk.done("dataset_update", id=dataset, fields={"description": "what it holds"})
    assert (await talk.done("dataset_get", id=dataset))["item"]["description"] == "what it holds"


@pytest.mark.parametrize("group", ["connector", "source", "dataset"])
async def test_the_fields_tool_says_what_the_resource_says(talk: Talk, group: str) -> None:
    answer = await talk.done(f"{group}_fields")
    assert json.loads(await talk.read(f"bi://{group}/fields")) == answer
    assert answer["fields"].keys() >= {"id", "dateCreate"}


async def test_text_and_structured_content_tell_the_same_story(talk: Talk) -> None:
    connector = await talk.add_connector()
    for tool, arguments in (
        ("connector_get", {"id": connector}),
        ("connector_list", {}),
        ("connector_fields", {"full": True}),
    ):
        result = await talk.call(tool, **arguments)
        headline, data = text_of(result).split("\n", 1)
        assert headline.startswith(f"{tool}: ")
        assert json.loads(data) == result.structured_content


async def test_every_answer_fits_the_output_schema_of_its_tool(talk: Talk) -> None:
    schemas = {tool.name: tool.output_schema for tool in (await talk.client.list_tools()).tools}
    connector = await talk.add_connector()
    source = await talk.add_source(connector)
    dataset = await talk.add_dataset(source)
    for group, id in (("connector", connector), ("source", source), ("dataset", dataset)):
        for tool, arguments in ((f"{group}_get", {"id": id}), (f"{group}_list", {}), (f"{group}_fields", {})):
            schema = schemas[tool]
            assert schema is not None
            jsonschema.validate(await talk.done(tool, **arguments), schema)


async def test_answers_of_the_embedded_portal_say_that_it_is_not_the_users(talk: Talk) -> None:
    assert "not the user's Bitrix24" in (await talk.done("connector_list"))["notice"]
    assert talk.client.instructions is not None
    assert "NOT the user's Bitrix24" in talk.client.instructions


async def test_a_connector_in_use_is_not_deleted_and_the_error_says_what_to_do(talk: Talk) -> None:
    connector = await talk.add_connector()
    await talk.add_source(connector)
    confirm = await talk.preview("connector_delete", id=connector)
    text = await talk.refused("connector_delete", id=connector, confirm=confirm)
    assert "biconnector.connector.delete" in text
    assert "CONNECTOR_DELETE_RESTRICTED" in text
    assert "source_list" in text


async def test_a_bad_column_name_is_refused_before_anything_is_sent(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    fields = dataset_fields(source) | {"fields": [{"name": "bad name", "externalCode": "x", "type": "int"}]}
    text = await talk.refused("dataset_add", fields=fields)
    assert "fields.fields[0].name begins with a capital Latin letter" in text
    assert (await talk.done("dataset_list"))["items"] == []


async def test_unknown_arguments_are_refused_by_name_at_every_depth(talk: Talk) -> None:
    assert "junk is unknown (known: id)" in await talk.refused("connector_get", id=1, junk=2)
    text = await talk.refused("connector_add", fields=connector_fields() | {"titel": "typo"})
    assert "fields.titel is unknown; did you mean title?" in text
    text = await talk.refused(
        "dataset_fields_update", id=1, update=[{"id": 1, "visible": True, "name": "NEW"}]
    )
    assert "update[0].name is unknown" in text


async def test_objects_that_arrive_as_json_text_are_understood(talk: Talk) -> None:
    fields = connector_fields() | {"settings": json.dumps(connector_fields()["settings"])}
    connector = (await talk.done("connector_add", fields=json.dumps(fields)))["id"]
    listed = await talk.done("connector_list", filter=json.dumps({"id": connector}), select='["title"]')
    assert [item["id"] for item in listed["items"]] == [connector]


@pytest.mark.parametrize("active", [True, False])
async def test_a_switch_that_the_portal_ignores_is_told(talk: Talk, active: bool) -> None:
    source = await talk.add_source(await talk.add_connector())
    done = await talk.done("source_update", id=source, fields={"active": active})
    assert ("The portal ignored active=false: the source is on" in done["notice"]) is not active


async def test_a_column_of_another_dataset_is_refused_before_anyone_is_asked(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    first = await talk.add_dataset(source)
    second = (await talk.done("dataset_add", fields=dataset_fields(source, "second")))["id"]
    foreign = (await talk.done("dataset_get", id=first))["item"]["fields"][0]["id"]
    for changes in ({"delete": [foreign]}, {"update": [{"id": foreign, "visible": False}]}):
        text = await talk.refused("dataset_fields_update", id=second, **changes)
        assert f"no column with the id {foreign}. Nothing was sent" in text
    assert len((await talk.done("dataset_get", id=first))["item"]["fields"]) == len(COLUMNS)


async def test_a_misspelt_setting_is_named_instead_of_being_dropped(talk: Talk) -> None:
    connector = await talk.add_connector()
    fields = {
        "title": "x",
        "connectorId": connector,
        "settings": {"login": "demo", "passwort": "demo-password"},
    }
    text = await talk.refused("source_add", fields=fields)
    assert "declares no passwort" in text
    assert "Declared: login, password" in text


async def test_a_wrong_password_creates_no_source(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_SECRET_WRONG", "not-the-password")
    connector = await talk.add_connector()
    settings = {"login": "demo", "password": {"env": "BI_MCP_SECRET_WRONG"}}
    text = await talk.refused(
        "source_add", fields={"title": "x", "connectorId": connector, "settings": settings}
    )
    assert "SOURCE_CREATE_CONNECTION_ERROR" in text
    assert "no source was created" in text
    assert (await talk.done("source_list"))["items"] == []


async def test_pages_say_whether_more_follow(talk: Talk) -> None:
    for number in range(51):
        await talk.add_connector(f"Connector {number}")
    first = await talk.done("connector_list", select=["id"])
    assert (len(first["items"]), first["more"]) == (50, True)
    second = await talk.done("connector_list", select=["id"], page=2)
    assert (len(second["items"]), second["more"]) == (1, False)
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == sorted(set(ids))


async def test_a_deleted_dataset_leaves_its_builder_dataset_by_name(talk: Talk) -> None:
    source = await talk.add_source(await talk.add_connector())
    with_builder = await talk.add_dataset(source, "with_builder")
    alone = (await talk.done("dataset_add", fields=dataset_fields(source, "alone"), table_only=True))["id"]
    builder = (await talk.done("dataset_get", id=with_builder))["item"]["externalId"]
    assert builder > 0
    left = await talk.confirmed("dataset_delete", id=with_builder)
    assert f"BI Builder dataset {builder} of with_builder stays behind" in left["notice"]
    assert "stays behind" not in (await talk.confirmed("dataset_delete", id=alone))["notice"]


async def test_a_long_logo_is_cut_in_answers(talk: Talk) -> None:
    logo = "data:image/png;base64," + "A" * 5000
    connector = (await talk.done("connector_add", fields=connector_fields() | {"logo": logo}))["id"]
    shown = (await talk.done("connector_get", id=connector))["item"]["logo"]
    assert shown.startswith("data:image/png;base64,")
    assert f"({len(logo)} characters)" in shown


async def test_an_unknown_tool_is_an_error_the_model_can_read(talk: Talk) -> None:
    assert "nosuch" in await talk.refused("nosuch")


async def test_the_sample_connector_is_named_in_the_instructions(talk: Talk) -> None:
    assert talk.client.instructions is not None
    for path in (sample.ORIGIN, *sample.ENDPOINTS.values()):
        assert path in talk.client.instructions


async def test_a_reference_to_another_variable_is_refused_with_the_rule(talk: Talk) -> None:
    settings = {"login": "demo", "password": {"env": "HOME"}}
    fields = {"title": "x", "connectorId": await talk.add_connector(), "settings": settings}
    assert "only variables whose name begins with BI_MCP_SECRET_" in await talk.refused(
        "source_add", fields=fields
    )


async def test_a_defect_of_ours_tells_the_model_nothing_and_leaves_its_cause_in_the_log(
    era: Era, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> BIConnector:
        raise RuntimeError("a defect of ours")

    async with Client(build_server(Settings(), connect=broken), mode=era) as client:
        text = await Talk(client).refused("connector_get", id=1)
    assert text == "Error executing tool connector_get"
    assert "a defect of ours" in caplog.text


async def test_a_file_that_cannot_be_used_is_named(era: Era, tmp_path: Path) -> None:
    settings = Settings(embedded=LocalPortalSettings(database=str(tmp_path)))
    async with Client(build_server(settings), mode=era) as client:
        text = await Talk(client).refused("connector_list")
    assert f"file {tmp_path} cannot be used" in text
    assert "BI_MCP_PORTAL_DB" in text
