"""What connectors, sources and datasets keep, show and change."""

from __future__ import annotations

import pytest

from tests.practice.portal.calling import (
    ORIGIN,
    Portal,
    add_connector,
    add_dataset,
    add_source,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio

NOON_TEXT = "2023-11-14 22:13:20"
HOUR_LATER_TEXT = "2023-11-14 23:13:20"


async def _described(portal: Portal, group: str) -> dict[str, set[str]]:
    fields = (await portal.caller.result(f"biconnector.{group}.fields"))["fields"]
    flags = ("isRequired", "isReadOnly", "isImmutable", "isMultiple")
    return {field["title"]: {flag for flag in flags if field[flag]} for field in fields}


async def test_the_fields_of_a_connector_are_described(tables: Portal, classic: Portal) -> None:
    described = await _described(tables, "connector")
    older = await _described(classic, "connector")

    assert set(described) - set(older) == {"supportMapping", "sourceCode"}
    assert described["supportMapping"] == described["sourceCode"] == described["sort"] == set()


async def test_the_fields_of_tables_are_those_of_datasets(tables: Portal) -> None:
    dataset = await _described(tables, "dataset")

    assert not any(title.startswith("csv") for title in dataset)
    assert await _described(tables, "table") == dataset


async def test_a_connector_has_defaults_and_keeps_what_an_update_does_not_name(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller)
    changes = {"title": "New", "supportMapping": True, "sourceCode": "mysql", "sort": "7"}
    before = (await tables.caller.result("biconnector.connector.get", id=connector_id))["item"]
    assert await tables.caller.result("biconnector.connector.update", id=connector_id, fields=changes) is True
    after = (await tables.caller.result("biconnector.connector.get", id=str(connector_id)))["item"]

    defaults = {"description": "", "sort": 100, "supportMapping": False, "sourceCode": ""}
    assert before == {**connector_fields(), **defaults, "id": connector_id, "dateCreate": NOON_TEXT}
    assert after == {**before, **changes, "sort": 7}


async def test_a_connector_may_have_no_settings(tables: Portal) -> None:
    connector_id = await add_connector(tables.caller, settings=[])
    item = (await tables.caller.result("biconnector.connector.get", id=connector_id))["item"]

    assert item["settings"] == []


async def test_a_source_shows_its_values_in_plain_text(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    item = (await tables.caller.result("biconnector.source.get", id=source_id))["item"]

    assert item == {
        "connection": {
            "id": source_id,
            "type": "rest",
            "code": "rest_1",
            "title": "Shop one",
            "description": "",
            "active": True,
            "dateCreate": NOON_TEXT,
            "dateUpdate": None,
            "createdById": 1,
            "updatedById": 0,
        },
        "connectorId": 1,
        "settings": [
            {"id": 1, "code": "login", "name": "Login", "type": "STRING", "value": "ann"},
            {"id": 2, "code": "port", "name": "Port", "type": "INT", "value": "8080"},
        ],
    }


async def test_an_update_merges_settings_by_key_and_drops_unknown_codes(tables: Portal) -> None:
    source_id = await add_source(tables.caller, settings={"login": "ann", "unknown": "x"})
    tables.clock.now += 3600
    changes = {"title": "Shop one", "settings": {"port": 9090, "password": "x"}}
    await tables.caller.result("biconnector.source.update", id=source_id, fields=changes)
    item = (await tables.caller.result("biconnector.source.get", id=source_id))["item"]

    assert {row["code"]: row["value"] for row in item["settings"]} == {"login": "ann", "port": "9090"}
    assert (item["connection"]["dateUpdate"], item["connection"]["updatedById"]) == (HOUR_LATER_TEXT, 1)
    assert tables.connector.received == [
        {"connection[login]": "ann"},
        {"connection[login]": "ann", "connection[port]": "9090"},
    ]


async def test_a_refused_connection_changes_nothing(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    tables.connector.body = ""
    changes = {"title": "Changed", "settings": {"login": "bob"}}
    added = await tables.caller.code("biconnector.source.add", fields=source_fields(1))
    updated = await tables.caller.code("biconnector.source.update", id=source_id, fields=changes)
    item = (await tables.caller.result("biconnector.source.get", id=source_id))["item"]

    assert (added, updated) == ("SOURCE_CREATE_CONNECTION_ERROR", "SOURCE_UPDATE_CONNECTION_ERROR")
    assert len(await tables.caller.result("biconnector.source.list")) == 1
    assert item["connection"]["title"] == "Shop one"
    assert item["settings"][0]["value"] == "ann"


async def test_only_a_classic_portal_lets_active_be_written(tables: Portal, classic: Portal) -> None:
    kept = []
    for portal in (tables, classic):
        source_id = await add_source(portal.caller, active=False)
        item = (await portal.caller.result("biconnector.source.get", id=source_id))["item"]
        kept.append(item["connection"]["active"])

    assert kept == [True, False]


async def test_a_dataset_is_shown_with_its_columns(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    item = (await tables.caller.result("biconnector.dataset.get", id=dataset_id))["item"]

    column = {"datasetId": dataset_id, "description": "", "visible": True}
    assert item == {
        "id": dataset_id,
        "type": "rest",
        "name": "orders",
        "description": "",
        "externalCode": "orders",
        "externalName": "Orders",
        "externalId": 1,
        "dateCreate": NOON_TEXT,
        "dateUpdate": None,
        "createdById": 1,
        "updatedById": 0,
        "csvDelimiter": "",
        "csvEncoding": "",
        "csvHasHeaders": False,
        "fields": [
            {"id": 1, "name": "ID", "externalCode": "id", "type": "int", **column},
            {"id": 2, "name": "TITLE", "externalCode": "title", "type": "string", **column},
        ],
    }
    assert await tables.caller.result("biconnector.table.get", id=dataset_id) == {"item": item}


async def test_a_dataset_changes_its_description_only(classic: Portal) -> None:
    dataset_id = await add_dataset(classic.caller)
    classic.clock.now += 3600
    await classic.caller.result("biconnector.dataset.update", id=dataset_id, fields={"description": "d"})
    item = (await classic.caller.result("biconnector.dataset.get", id=dataset_id))["item"]

    assert (item["description"], item["dateUpdate"], item["updatedById"]) == ("d", HOUR_LATER_TEXT, 1)


async def test_only_dataset_add_makes_a_dataset_of_bi_builder(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    made = []
    for family, name in (("dataset", "a"), ("table", "b"), ("dataset", "c")):
        fields = dataset_fields(source_id, name=name)
        added = await tables.caller.result(f"biconnector.{family}.add", fields=fields)
        item = (await tables.caller.result("biconnector.dataset.get", id=added["id"]))["item"]
        made.append(item["externalId"])

    assert made == [1, 0, 2]


async def test_where_tables_exist_a_dataset_is_deleted_as_a_table(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    broken = await tables.caller.post("biconnector.dataset.delete", id=dataset_id)
    assert (broken.status_code, broken.json()["error"]) == (500, "INTERNAL_SERVER_ERROR")
    assert await tables.caller.result("biconnector.table.delete", id=dataset_id) is True
    with tables.app.state.database.snapshot() as connection:
        orphans = connection.execute("SELECT name FROM builder_datasets").fetchall()

    assert await tables.caller.code("biconnector.dataset.get", id=dataset_id) == "DATASET_NOT_FOUND"
    assert [row["name"] for row in orphans] == ["orders"]


async def test_a_classic_portal_deletes_everything_from_the_bottom_up(classic: Portal) -> None:
    await add_dataset(classic.caller)
    for group in ("dataset", "source", "connector"):
        assert await classic.caller.result(f"biconnector.{group}.delete", id=1) is True
        assert await classic.caller.result(f"biconnector.{group}.list") == []
    with classic.app.state.database.snapshot() as connection:
        left = connection.execute("SELECT name FROM builder_datasets").fetchall()

    assert left == []


async def test_columns_are_added_hidden_and_deleted_in_one_call(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    answer = await tables.caller.result(
        "biconnector.dataset.fields.update",
        id=dataset_id,
        add=[{"name": "PRICE", "externalCode": "price", "type": "money", "visible": False}],
        update=[{"id": 1, "visible": False, "name": "IGNORED"}, {"id": 99, "visible": False}],
        delete=[2, 99],
    )
    item = (await tables.caller.result("biconnector.dataset.get", id=dataset_id))["item"]

    assert answer is True
    assert [(column["name"], column["visible"]) for column in item["fields"]] == [
        ("ID", False),
        ("PRICE", True),
    ]
    assert item["updatedById"] == 1


async def test_a_wrong_column_change_saves_none_of_the_others(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    code = await tables.caller.code(
        "biconnector.table.fields.update", id=dataset_id, delete=[2], update=[{"id": 1}]
    )
    item = (await tables.caller.result("biconnector.dataset.get", id=dataset_id))["item"]

    assert code == "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS"
    assert [column["name"] for column in item["fields"]] == ["ID", "TITLE"]


async def test_when_the_sync_with_bi_builder_fails_the_columns_stay_saved(tables: Portal) -> None:
    dataset_id = await add_dataset(tables.caller)
    tables.app.state.faults.arm("sync_failure", method="biconnector.dataset.fields.update")
    update = {"id": dataset_id, "delete": [2]}
    first = await tables.caller.code("biconnector.dataset.fields.update", **update)
    item = (await tables.caller.result("biconnector.dataset.get", id=dataset_id))["item"]

    assert first == "DATASET_UPDATE_ERROR"
    assert [column["name"] for column in item["fields"]] == ["ID"]
    assert await tables.caller.result("biconnector.dataset.fields.update", **update) is True


async def test_an_application_sees_and_changes_only_its_own_objects(tables: Portal) -> None:
    await add_dataset(tables.caller)
    other = tables.other_application()
    for group in ("connector", "source", "dataset"):
        expected = f"{group.upper()}_NOT_FOUND"
        change = {"title": "t"} if group == "source" else {"description": "d"}
        delete = "biconnector.table.delete" if group == "dataset" else f"biconnector.{group}.delete"
        assert await other.result(f"biconnector.{group}.list", order={"id": "ASC"}) == []
        assert await other.code(f"biconnector.{group}.get", id=1) == expected
        assert await other.code(f"biconnector.{group}.update", id=1, fields=change) == expected
        assert await other.code(delete, id=1) == expected
    assert await other.code("biconnector.source.add", fields=source_fields(1)) == "CONNECTOR_NOT_FOUND"
    assert await other.code("biconnector.table.add", fields=dataset_fields(1)) == "SOURCE_NOT_FOUND"
    assert await other.code("biconnector.table.fields.update", id=1, delete=[1]) == "DATASET_NOT_FOUND"


async def test_a_dataset_name_is_taken_for_all_applications(tables: Portal) -> None:
    await add_dataset(tables.caller)
    other = tables.other_application()
    source_id = await add_source(other)

    assert await other.code("biconnector.table.add", fields=dataset_fields(source_id)) == "NAME_EXISTS"


async def test_the_url_check_of_the_connector_is_called_for_every_change_of_a_connection(
    tables: Portal,
) -> None:
    await add_dataset(tables.caller)
    await tables.caller.result("biconnector.source.update", id=1, fields={"title": "t"})
    await tables.caller.result("biconnector.dataset.update", id=1, fields={"description": "d"})

    # Neither the creation nor the update of a dataset calls anything.
    assert tables.connector.received == [{"connection[login]": "ann", "connection[port]": "8080"}] * 2


async def test_a_connector_is_called_at_its_new_address(tables: Portal) -> None:
    source_id = await add_source(tables.caller)
    elsewhere = {"urlCheck": ORIGIN.replace("http", "none")}
    await tables.caller.result("biconnector.connector.update", id=1, fields=elsewhere)
    code = await tables.caller.code("biconnector.source.update", id=source_id, fields={"title": "t"})

    assert code == "SOURCE_UPDATE_CONNECTION_ERROR"
