"""What the vendor documents word by word, in `tests/vendor/` where it is longer than a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.practice.portal.calling import Portal, add_connector, add_dataset, add_source, connector_fields

pytestmark = pytest.mark.anyio

CASES = Path(__file__).parents[2] / "vendor"


@pytest.mark.parametrize("group", ["connector", "source", "dataset"])
async def test_fields_are_described_word_by_word(classic: Portal, group: str) -> None:
    documented = json.loads((CASES / f"{group}_fields.json").read_text())

    assert await classic.caller.result(f"biconnector.{group}.fields") == documented


async def test_the_update_of_a_source_without_its_title_is_refused_without_a_code(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    refusal = await tables.caller.refusal(
        "biconnector.source.update", id=source_id, fields={"settings": {"login": "new"}}
    )
    item = (await tables.caller.result("biconnector.source.get", id=source_id))["item"]

    assert refusal == {"error": 0, "error_description": "All the fields are required."}
    assert item["settings"][0]["value"] == "ann"


async def test_a_classic_portal_updates_a_source_without_its_title(classic: Portal) -> None:
    source_id = await add_source(classic.caller)
    changes = {"settings": {"login": "new"}}

    assert await classic.caller.result("biconnector.source.update", id=source_id, fields=changes) is True


async def test_a_setting_that_the_connector_dropped_goes_with_the_next_save(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    left = {"settings": [{"code": "port", "name": "Port", "type": "INT"}]}
    await tables.caller.result("biconnector.connector.update", id=1, fields=left)
    await tables.caller.result("biconnector.source.update", id=source_id, fields={"title": "t"})
    item = (await tables.caller.result("biconnector.source.get", id=source_id))["item"]

    assert [setting["code"] for setting in item["settings"]] == ["port"]
    assert tables.connector.received[-1] == {"connection[port]": "8080"}


async def test_moments_that_a_list_names_are_empty_objects_on_newer_portals(
    tables: Portal, classic: Portal
) -> None:
    select = ["id", "name", "dateCreate", "dateUpdate"]
    for portal in (tables, classic):
        await add_dataset(portal.caller)
    named = await tables.caller.result("biconnector.table.list", select=select)
    all_of_them = await tables.caller.result("biconnector.table.list", select=["*"])
    older = await classic.caller.result("biconnector.dataset.list", select=select)

    assert named == [{"id": 1, "name": "orders", "dateCreate": {}, "dateUpdate": {}}]
    assert all_of_them[0]["dateCreate"] == older[0]["dateCreate"] == "2023-11-14 22:13:20"


async def test_classic_lists_tell_settings_without_ids_and_null_where_there_are_none(classic: Portal) -> None:
    await add_source(classic.caller)
    bare = await add_connector(classic.caller, settings=[])
    fields = {"title": "Bare", "connectorId": bare, "settings": {}}
    await classic.caller.result("biconnector.source.add", fields=fields)
    listed = await classic.caller.result("biconnector.source.list", select=["settings"], order={"id": "ASC"})

    assert listed[0]["settings"][0] == {"code": "login", "name": "Login", "type": "STRING", "value": "ann"}
    assert listed[1]["settings"] is None


async def test_logic_is_compared_without_regard_to_case_on_a_classic_portal(classic: Portal) -> None:
    await add_connector(classic.caller)
    either = {"logic": "or", "id": 1, "title": "no such"}

    assert len(await classic.caller.result("biconnector.connector.list", filter=either)) == 1
    assert len(await classic.caller.result("biconnector.connector.list", filter={"@id": [1, 2]})) == 1


async def test_an_empty_title_passes_the_required_check_of_a_classic_portal(classic: Portal) -> None:
    assert await add_connector(classic.caller, title="") == 1


async def test_an_unknown_direction_is_an_error_at_the_root(tables: Portal) -> None:
    answer = await tables.caller.post("biconnector.dataset.list", order={"id": "UPWARDS"})

    assert answer.status_code == 400
    assert answer.json() == {"error": "ERROR_ARGUMENT", "error_description": 'Invalid order "UPWARDS"'}


async def test_a_foreign_id_in_delete_deletes_the_other_dataset_s_column(tables: Portal) -> None:
    first = await add_dataset(tables.caller)
    second = await add_dataset(tables.caller, name="second")
    foreign = (await _columns(tables, first))[0]["id"]
    assert await tables.caller.result("biconnector.table.fields.update", id=second, delete=[foreign]) is True

    assert [column["name"] for column in await _columns(tables, first)] == ["TITLE"]
    assert len(await _columns(tables, second)) == 2


async def test_a_foreign_id_in_update_is_passed_over_and_no_change_at_all_is_a_success(
    tables: Portal,
) -> None:
    first = await add_dataset(tables.caller)
    second = await add_dataset(tables.caller, name="second")
    hide = [{"id": (await _columns(tables, first))[0]["id"], "visible": False}]
    assert await tables.caller.result("biconnector.table.fields.update", id=second, update=hide) is True
    assert await tables.caller.result("biconnector.table.fields.update", id=second) is True

    assert all(column["visible"] for column in await _columns(tables, first))


async def test_two_new_columns_of_one_name_are_refused_by_fields_update(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    add = [{"type": "int", "name": "X", "externalCode": code} for code in ("x1", "x2")]
    code = await tables.caller.code("biconnector.dataset.fields.update", id=dataset_id, add=add)

    assert code == "VALIDATION_DUPLICATE_FIELD_NAME"


async def test_more_than_fifty_commands_end_in_one_of_the_two_documented_ways(
    tables: Portal, classic: Portal
) -> None:
    cmd = {f"c{number}": "server.time" for number in range(52)}
    newer = await tables.caller.post("batch", cmd=cmd)
    older = await classic.caller.result("batch", cmd=cmd)

    assert (newer.status_code, newer.json()["error"]) == (400, "ERROR_BATCH_LENGTH_EXCEEDED")
    assert len(older["result"]) == 50
    assert set(older["result_error"]) == {"c50", "c51"}
    assert older["result_error"]["c50"]["error"] == "ERROR_BATCH_LENGTH_EXCEEDED"


async def test_a_page_that_limits_requests_says_how_long_to_wait(tables: Portal) -> None:
    tables.app.state.faults.arm("html_limit", seconds=7)
    answer = await tables.caller.post("biconnector.connector.add", fields=connector_fields())

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.text.startswith("<html>")
    assert await tables.caller.result("biconnector.connector.list") == []


async def _columns(portal: Portal, dataset_id: int) -> list[dict[str, object]]:
    item = (await portal.caller.result("biconnector.dataset.get", id=dataset_id))["item"]
    columns: list[dict[str, object]] = item["fields"]
    return columns
