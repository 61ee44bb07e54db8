"""Arguments as language models and hosts really send them: understood where only one thing can be meant, else told how to write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.talking import LOGIN, Talk, connector_fields, dataset_fields

pytestmark = pytest.mark.anyio

SECRET = "hunter2-canary"
REFERENCE = {"env": "BI_MCP_SECRET_SAMPLE"}
NEW = connector_fields("Understood")
COLUMN = {"name": "A", "externalCode": "a", "type": "string"}
RENAMED = [
    {"name": "AIRLINE", "externalCode": "CARRIER", "type": "string"},
    {"name": "MILES", "externalCode": "DISTANCE", "type": "int"},
]


def source_fields(**changes: Any) -> dict[str, Any]:
    return {"title": "S", "connectorId": 1, "settings": {"login": LOGIN, "password": REFERENCE}} | changes


def dataset(name: str, **changes: Any) -> dict[str, Any]:
    return dataset_fields(1, name) | changes


UNDERSTOOD: list[tuple[str, dict[str, Any]]] = [
    ("connector_get", {"id": "1"}),
    ("connector_get", {"id": " 1 "}),
    ("connector_list", {"select": None, "filter": None, "order": None, "page": None}),
    ("connector_list", {"order": {"id": "desc"}}),
    ("connector_list", {"filter": '{"title": "Sample"}', "page": "1"}),
    ("connector_add", {"fields": json.dumps(NEW)}),
    ("connector_add", {"fields": NEW | {"sort": "100", "supportMapping": "Y", "description": None}}),
    ("connector_add", {"fields": NEW | {"supportMapping": "true", "title": 2024}}),
    ("connector_add", {"fields": NEW | {"settings": [{"code": "p", "name": "P", "type": "string"}]}}),
    ("source_add", {"fields": source_fields(connectorId="1", active="true")}),
    ("source_add", {"fields": source_fields(settings=json.dumps({"login": LOGIN, "password": REFERENCE}))}),
    (
        "source_add",
        {"fields": source_fields(settings={"login": LOGIN, "password": json.dumps(REFERENCE)})},
    ),
    ("dataset_add", {"fields": dataset("a", fields=[COLUMN | {"type": "INT"}])}),
    ("dataset_add", {"fields": dataset("b", fields=[json.dumps(COLUMN)]), "table_only": "Y"}),
    ("dataset_fields_update", {"id": "1", "update": [{"id": "1", "visible": "N"}]}),
    ("workspace_plan", {"setup": {"version": 1}}),
    ("workspace_plan", {"setup": "```yaml\nversion: 1\n```"}),
    ("workspace_plan", {"setup": "version: 1", "prune": "false"}),
]


@pytest.mark.parametrize(("tool", "arguments"), UNDERSTOOD, ids=lambda part: json.dumps(part)[:60])
async def test_what_can_only_mean_one_thing_is_understood(
    talk: Talk, tool: str, arguments: dict[str, Any]
) -> None:
    await talk.add_dataset(await talk.add_source(await talk.add_connector()))
    await talk.done(tool, **arguments)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("connector_get", {"id": "Simple"}, 'id: none has this title; there are 1 "Sample"'),
    ("connector_get", {"id": 1.5}, "id: a whole number is expected"),
    ("connector_get", {"id": None}, "id: a whole number is expected"),
    ("connector_list", {"select": "id,title"}, 'select: an array is expected, such as ["…"]'),
    ("connector_list", {"order": ["id"]}, 'order: an object is expected, such as {"…": "ASC"}'),
    ("connector_list", {"filter": "title=Sample"}, 'filter: an object is expected: {"OPfield": value}'),
    ("connector_add", NEW, 'put title, logo, settings, urlCheck, urlTableList, urlTableDescription, urlData into fields: {"fields": {"title": …}}'),
    ("connector_add", {"fields": f"title=X&password={SECRET}"}, 'fields: an object is expected, such as {"title": …'),
    ("connector_add", {"fields": NEW | {"supportMapping": "maybe"}}, "fields.supportMapping: true or false is expected, without quotes"),
    ("connector_add", {"fields": NEW | {"settings": {"login": "STRING"}}}, 'fields.settings: an array is expected, such as [{"code": …, "name": …, "type": …}]'),
    ("connector_add", {"fields": NEW | {"password": SECRET}}, "fields.password is unknown"),
    ("connector_add", {"fields": NEW | {"urlCheck": "example.com/check"}}, "fields.urlCheck: The endpoint's address cannot be called: it begins with neither http:// nor https://."),
    ("connector_add", {"fields": NEW | {"urlData": f"https://ann:{SECRET}@example.com/data"}}, "fields.urlData: The endpoint's address cannot be called: it contains a user or a password"),
    ("connector_update", {"id": 1, "fields": {"urlData": "/data"}}, "fields.urlData: The endpoint's address cannot be called"),
    ("connector_update", {"id": 1, "title": "New"}, 'put title into fields: {"fields": {"title": …}}'),
    ("source_add", {"fields": source_fields(settings={"login": LOGIN, "password": SECRET})}, "settings.password looks like a secret"),
    ("source_add", {"fields": source_fields(settings={"login": LOGIN, "password": {"value": SECRET}})}, "fields.settings.password: text, a whole number or an object is expected: {code: value}; a secret as"),
    ("source_add", {"fields": source_fields(settings={"login": LOGIN, "password": [SECRET]})}, "fields.settings.password: text, a whole number or an object is expected"),
    ("source_add", {"fields": source_fields(settings=[{"code": "password", "value": SECRET}])}, "fields.settings: an object is expected: {code: value}"),
    ("source_add", {"fields": source_fields(password=SECRET)}, "fields.password is unknown"),
    ("dataset_add", {"fields": dataset("c", fields=[COLUMN | {"type": "строка"}])}, "fields.fields[0].type: Input should be 'int', 'string'"),
    ("dataset_update", {"id": 1, "fields": "new"}, 'fields: an object is expected, such as {"description": …}'),
    ("dataset_fields_update", {"id": 1, "delete": "1"}, "delete: an array is expected, such as [1]"),
    ("connector_check", {"urls": {"check": "https://x.example"}}, "unknown endpoint check. Use these names: urlCheck"),
    ("dataset_preview", {"id": 1, "select": ["PILOT"]}, "The dataset has no column 'PILOT', or several columns have that code. Its columns are AIRLINE, MILES."),
    ("dataset_preview", {"id": 1, "filter": {">=HOURS": 5}}, "The dataset has no column 'HOURS'"),
    ("dataset_preview", {"id": 1, "filter": {"><MILES": 5}}, 'filter: ><MILES takes both ends of a range, such as {"><MILES": [1, 5]}'),
    ("connector_delete", {"id": 1, "confirm": True}, "confirm: text is expected"),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "arguments", "words"), REFUSED, ids=lambda part: json.dumps(part)[:60])
async def test_what_cannot_be_understood_is_told_how_to_write_it_and_never_repeated(
    talk: Talk, tool: str, arguments: dict[str, Any], words: str
) -> None:
    await talk.add_source(await talk.add_connector())
    await talk.done("dataset_add", fields=dataset("flights", fields=RENAMED))
    refused = await talk.refused(tool, **arguments)
    assert words in refused
    assert SECRET not in refused
    assert "instance of" not in refused
    assert refused.count(words.split(":", maxsplit=1)[0]) == 1


async def test_an_empty_text_takes_a_password_away(talk: Talk) -> None:
    """It is no secret, so it needs no reference; the connector itself then refuses the empty one."""
    source = await talk.add_source(await talk.add_connector())
    refused = await talk.refused("source_update", id=source, fields={"settings": {"password": ""}})
    assert "SOURCE_UPDATE_CONNECTION_ERROR" in refused
