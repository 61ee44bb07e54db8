"""Objects and columns that a call names by title, and arguments under other names: understood where only one thing can be meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.talking import COLUMNS, Talk, connector_fields, dataset_fields

pytestmark = pytest.mark.anyio


@pytest.fixture
async def chain(talk: Talk) -> tuple[int, int, int]:
    """A connector "Sample", a source "Flights" and a dataset "flights", all with ids that differ from the only other ones."""
    await talk.add_connector("Other")
    connector = await talk.add_connector()
    await talk.add_source(connector, "Other source")
    await talk.add_source(connector, "Third source")
    source = await talk.add_source(connector)
    await talk.add_dataset(source, "other")
    return connector, source, await talk.add_dataset(source)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("connector_get", {"id": "Sample"}),
        ("connector_get", {"connector": "Sample"}),
        ("connector_get", {"connector_id": "Sample"}),
        ("connector_get", {"id": "bi://connector/2"}),
        ("source_get", {"source": "Flights"}),
        ("source_get", {"sourceId": 3}),
        ("source_get", {"id": "source 3"}),
        ("source_get", {"source_id": "3", "id": 3}),
        ("dataset_get", {"dataset": "flights"}),
        ("dataset_get", {"datasetId": 2}),
        ("dataset_get", {"table_id": 2}),
        ("dataset_get", {"id": "flights", "dataset": None}),
        ("dataset_diagnose", {"dataset_id": "flights"}),
    ],
    ids=str,
)
@pytest.mark.usefixtures("chain")
async def test_an_object_is_found_by_id_and_title_under_each_name(
    talk: Talk, tool: str, arguments: dict[str, Any]
) -> None:
    answer = await talk.done(tool, **arguments)
    item = answer.get("item", answer)
    assert (item.get("title") or item["name"]) in {"Sample", "Flights", "flights"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("source_tables", {"id": "Flights"}),
        ("source_tables", {"source_id": "Flights", "query": "air"}),
        ("source_tables", {"sourceId": "Flights", "externalCode": "flights"}),
        ("connector_check", {"sourceId": "Flights", "quick": True}),
        ("dataset_propose", {"source_id": "Flights", "external_code": "flights"}),
        ("dataset_preview", {"dataset": "flights", "columns": ["CARRIER"], "rows": 1}),
    ],
    ids=str,
)
@pytest.mark.usefixtures("chain")
async def test_tools_of_the_external_system_know_the_same_names(
    talk: Talk, tool: str, arguments: dict[str, Any]
) -> None:
    await talk.done(tool, **arguments)


async def test_fields_are_understood_in_snake_case_and_by_their_other_names(talk: Talk) -> None:
    given = connector_fields()
    snake = {
        "name": given["title"],
        "url_check": given["urlCheck"],
        "url_table_list": given["urlTableList"],
        "URLTableDescription": given["urlTableDescription"],
        "url_data": given["urlData"],
        "parameters": given["settings"],
    }
    connector = await talk.done("connector_add", fields=snake)
    settings = {"login": "demo", "password": {"env": "BI_MCP_SECRET_SAMPLE"}}
    source = await talk.done(
        "source_add", fields={"name": "S", "connector_id": connector["item"]["title"], "settings": settings}
    )
    column = {"name": "CARRIER", "code": "CARRIER", "type": "string"}
    fields = {"name": "d", "source": "S", "table": "flights", "external_name": "F", "columns": [column]}
    dataset = await talk.done("dataset_add", fields=fields)
    assert dataset["item"]["sourceId"] == source["id"]
    assert dataset["item"]["externalCode"] == "flights"


async def test_columns_are_named_by_their_names(talk: Talk, chain: tuple[int, int, int]) -> None:
    changed = await talk.done(
        "dataset_fields_update", id="flights", update=[{"column": "CARRIER", "visible": False}]
    )
    assert [(each["name"], each["visible"]) for each in changed["item"]["fields"]] == [
        ("CARRIER", False),
        ("DISTANCE", True),
    ]
    await talk.confirmed("dataset_fields_update", id=chain[2], delete=["DISTANCE"])
    columns = (await talk.done("dataset_get", id=chain[2]))["item"]["fields"]
    assert [each["name"] for each in columns] == ["CARRIER"]
    refused = await talk.refused("dataset_fields_update", id=chain[2], delete=["DISTANCE"])
    assert f'delete[0]: none has this title; there are {columns[0]["id"]} "CARRIER"' in refused


@pytest.mark.parametrize(
    "written", ["connector 1", "bi://connector/1", "connector/1", "Connector 1", "1", " 1 "]
)
async def test_what_is_a_title_and_the_id_of_another_is_refused_with_both(talk: Talk, written: str) -> None:
    first = await talk.add_connector("Main")
    second = await talk.add_connector(written)
    for tool, arguments in (("connector_update", {"fields": {"description": "x"}}), ("connector_get", {})):
        refused = await talk.refused(tool, id=written, **arguments)
        assert f"{tool} was not sent: id: this is the title of one and the id of another" in refused
        assert f'connector {second} "' in refused
        assert f'connector {first} "Main"' in refused
    assert (await talk.done("connector_get", id=second))["item"]["id"] == second


async def test_a_title_that_looks_like_an_id_is_a_title_where_no_other_has_the_id(talk: Talk) -> None:
    first = await talk.add_connector("connector 1")
    assert (await talk.done("connector_get", id="connector 1"))["item"]["id"] == first
    second = await talk.add_connector("connector 7")
    assert (await talk.done("connector_get", id="connector 7"))["item"]["id"] == second
    assert (await talk.done("connector_get", id="connector 2"))["item"]["id"] == second


async def test_a_number_as_text_in_fields_may_be_a_title_too(talk: Talk) -> None:
    connector = await talk.add_connector()
    await talk.add_source(connector, "Main")
    await talk.add_source(connector, "source 1")
    fields = dataset_fields(1, "new")
    refused = await talk.refused("dataset_add", fields=fields | {"sourceId": "source 1"})
    assert (
        'fields.sourceId: this is the title of one and the id of another: source 2 "source 1", source 1 "Main"'
        in refused
    )
    assert (await talk.done("dataset_add", fields=fields | {"sourceId": "1"}))["item"]["sourceId"] == 1


@pytest.mark.parametrize("source", ["flights", "dataset 2", "bi://dataset/2", "DATASET 2"])
@pytest.mark.usefixtures("chain")
async def test_a_dataset_stands_for_its_source(talk: Talk, source: str) -> None:
    assert "tables" in await talk.done("source_tables", source=source)
    proposed = await talk.done("dataset_propose", source=source, table="airports", like=source)
    assert proposed["fields"]["sourceId"] == 3
    assert (await talk.done("connector_check", source=source))["table"] == "flights"
    other = await talk.done("connector_check", source=source, table="airports")
    assert other["table"] == "airports"


@pytest.mark.usefixtures("chain")
async def test_a_dataset_stands_for_nothing_but_the_source_of_reading_tools(talk: Talk) -> None:
    for arguments in ({"id": "flights"}, {"id": "dataset 2"}):
        assert "none has this title" in await talk.refused("source_get", **arguments)
    fields = dataset_fields(1, "new") | {"sourceId": "dataset 2"}
    assert "none has this title" in await talk.refused("dataset_add", fields=fields)
    assert "none has this title" in await talk.refused("source_tables", source="Sample")


async def test_a_source_that_is_titled_like_a_dataset_is_refused_with_both(talk: Talk) -> None:
    connector = await talk.add_connector()
    source = await talk.add_source(connector, "dataset 1")
    await talk.add_dataset(await talk.add_source(connector), "flights")
    refused = await talk.refused("source_tables", source="dataset 1")
    assert f'source {source} "dataset 1", dataset 1 "flights"' in refused


@pytest.mark.parametrize("named", ["Other", "connector 1", "bi://connector/1"])
async def test_a_connector_stands_for_its_only_source_when_it_is_checked(talk: Talk, named: str) -> None:
    connector = await talk.add_connector("Other")
    assert "connector 1 has no source" in await talk.refused("connector_check", source=named)
    await talk.add_source(connector)
    assert (await talk.done("connector_check", source=named, quick=True))["verdict"] == "ok"
    await talk.add_source(connector, "Second")
    refused = await talk.refused("connector_check", source=named)
    assert 'connector 1 has several sources: 1 "Flights", 2 "Second"' in refused


LISTED: list[tuple[str, dict[str, Any], list[int]]] = [
    ("dataset_list", {"filter": {"source_id": 3}}, [1, 2]),
    ("dataset_list", {"filter": {"source": "Flights"}}, [1, 2]),
    ("dataset_list", {"filter": {"source": "source 1"}}, []),
    ("dataset_list", {"filter": {"@SourceID": ["Flights", "Other source"]}}, [1, 2]),
    ("dataset_list", {"filter": {"!source": "Flights"}}, []),
    (
        "dataset_list",
        {"filter": {"logic": "OR", "0": {"dataset": "flights"}, "1": {"title": "other"}}},
        [1, 2],
    ),
    ("dataset_list", {"filter": {"0": {"%title": "light"}, "table": "flights"}}, [2]),
    ("dataset_list", {"filter": {"source": "Flights"}, "order": {"dataset_id": "DESC"}}, [2, 1]),
    ("dataset_list", {"filter": {"external_code": "flights"}, "select": ["source_id", "title"]}, [1, 2]),
    ("source_list", {"filter": {"connector": "Sample"}}, [1, 2, 3]),
    ("source_list", {"filter": {"=connector_id": "connector 1"}}, []),
    ("source_list", {"filter": {">=source_id": 2}, "order": {"name": "ASC"}}, [3, 2]),
    ("connector_list", {"filter": {"id": "Sample"}, "select": ["url_check"]}, [2]),
]


@pytest.mark.parametrize(("tool", "arguments", "ids"), LISTED, ids=str)
@pytest.mark.usefixtures("chain")
async def test_lists_know_fields_by_their_other_names_and_objects_by_their_titles(
    talk: Talk, tool: str, arguments: dict[str, Any], ids: list[int]
) -> None:
    assert [item["id"] for item in (await talk.done(tool, **arguments))["items"]] == ids


@pytest.mark.usefixtures("chain")
async def test_a_list_refuses_a_title_that_none_has_and_fields_that_there_are_not(talk: Talk) -> None:
    refused = await talk.refused("dataset_list", filter={"0": {"source": "Flihgts"}})
    assert 'filter.sourceId: none has this title; there are 3 "Flights"' in refused
    assert "colour" in await talk.refused("dataset_list", filter={"colour": 1})
    both = await talk.refused("dataset_list", filter={"sourceId": 1, "source": 2})
    assert '"source"' in both


async def test_a_title_that_several_have_is_refused_with_them(talk: Talk) -> None:
    first, second = await talk.add_connector("Twin"), await talk.add_connector("Twin")
    refused = await talk.refused("connector_delete", id="Twin")
    assert "connector_delete was not sent" in refused
    assert f'id: several have this title: {first} "Twin", {second} "Twin"' in refused


@pytest.mark.usefixtures("chain")
async def test_an_unknown_title_is_refused_with_the_closest_first_and_not_repeated(talk: Talk) -> None:
    refused = await talk.refused("source_get", id="Flighst")
    assert 'id: none has this title; there are 3 "Flights", 1 "Other source"' in refused
    assert "Flighst" not in refused
    fields = dataset_fields(1, "new") | {"sourceId": "canary-nobody"}
    refused = await talk.refused("dataset_add", fields=fields)
    assert "fields.sourceId: none has this title" in refused
    assert "canary" not in refused


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("source_get", {"id": 1, "source": 2}, "source and id mean the same and differ: leave source out"),
        (
            "dataset_add",
            {"fields": dataset_fields(1) | {"source_id": 2}},
            "fields.source_id and sourceId mean the same and differ: leave fields.source_id out",
        ),
        (
            "dataset_add",
            {"fields": dataset_fields(1) | {"columns": COLUMNS[:1]}},
            "fields.columns and fields mean the same and differ",
        ),
        ("connector_check", {"source": 1, "id": 2}, "id is unknown"),
        ("dataset_add", {"source_id": 1}, 'put sourceId into fields: {"fields": {"sourceId": …}}'),
    ],
    ids=str,
)
async def test_two_names_with_different_values_are_refused_with_the_repair(
    talk: Talk, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in await talk.refused(tool, **arguments)


async def test_a_confirmation_by_title_holds_for_the_object_that_had_it(talk: Talk) -> None:
    connector = await talk.add_connector("Old")
    confirm = await talk.preview("connector_delete", id="Old")
    await talk.done("connector_update", id=connector, fields={"title": "Kept"})
    other = await talk.add_connector("Old")
    refused = await talk.refused("connector_delete", id="Old", confirm=confirm)
    assert "connector_delete" in refused
    left = {item["id"] for item in (await talk.done("connector_list"))["items"]}
    assert left == {connector, other}


async def test_the_schema_allows_ids_and_titles_without_a_list_of_types(talk: Talk) -> None:
    """A list of types is refused by clients of some models, and with it every tool."""
    for tool in (await talk.client.list_tools()).tools:
        assert '"type": ["' not in str(tool.input_schema).replace("'", '"'), tool.name
        for name in ("id", "source"):
            part = tool.input_schema["properties"].get(name)
            assert part is None or part["anyOf"] == [{"type": "integer"}, {"type": "string"}], tool.name
