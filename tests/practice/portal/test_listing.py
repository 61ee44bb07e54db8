"""select, filter, order and page of the list methods."""

from __future__ import annotations

import pytest

from tests.practice.portal.calling import Caller, Portal, add_connector, add_dataset, add_source

pytestmark = pytest.mark.anyio

LIST = "biconnector.connector.list"
TITLES = ("alpha", "beta_1", "beta21", "50%", "100")
BY_ID = {"id": "ASC"}


async def _filled(caller: Caller) -> None:
    for number, title in enumerate(TITLES, start=1):
        await add_connector(caller, title=title, sort=number * 10, supportMapping=number > 3)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ([], [1, 2, 3, 4, 5]),
        ({"title": "alpha"}, [1]),
        ({"=title": "alpha"}, [1]),
        ({"!=title": "alpha"}, [2, 3, 4, 5]),
        ({"!title": "alpha"}, [2, 3, 4, 5]),
        ({">=id": 4}, [4, 5]),
        ({">id": "4"}, [5]),
        ({"<=sort": 20}, [1, 2]),
        ({"<sort": 20}, [1]),
        ({">dateCreate": "2023-11-14 00:00:00", "<id": 3}, [1, 2]),
        ({"@id": [1, 5, 9]}, [1, 5]),
        ({"@id": {"0": "1"}}, [1]),
        ({"@id": 2}, [2]),
        ({"@id": []}, []),
        ({"!@id": [1, 5]}, [2, 3, 4]),
        ({"id": [1, 2]}, [1, 2]),
        ({"!id": [1, 2]}, [3, 4, 5]),
        ({"%title": "eta"}, [2, 3]),
        ({"%title": "a_1"}, [2]),
        ({"%title": "%"}, [4]),
        ({"=%title": "beta%"}, [2, 3]),
        ({"%=title": "%0%"}, [4, 5]),
        ({"=%title": "beta_1"}, [2]),
        ({"supportMapping": True}, [4, 5]),
        ({"supportMapping": "N"}, [1, 2, 3]),
        ({"id": "many"}, []),
        ({"id": None}, []),
        ({"title": 100}, [5]),
        ({"settings": "anything", "id": 1}, [1]),
        ({"logic": "OR", "id": 1, "=title": "50%"}, [1, 4]),
        ({"logic": "AND", "id": 1, "=title": "50%"}, []),
        ({"logic": "OR", "0": {"<id": 2}, "1": {">id": 4}}, [1, 5]),
        ({"0": {"logic": "OR", "id": 1, "=title": "50%"}, ">id": 1}, [4]),
        ([{"logic": "OR", "0": {"id": 2}, "1": [{"id": 3}]}, {"!title": "beta21"}], [2]),
        ({"logic": "OR", "0": {}, "id": 3}, [3]),
    ],
)
async def test_a_filter_keeps_what_fits(tables: Portal, filter_: object, expected: list[int]) -> None:
    await _filled(tables.caller)
    rows = await tables.caller.result(LIST, filter=filter_, order=BY_ID)

    assert [row["id"] for row in rows] == expected


async def test_a_source_is_not_filtered_by_settings_nor_a_dataset_by_its_columns(tables: Portal) -> None:
    await add_dataset(tables.caller)

    assert len(await tables.caller.result("biconnector.source.list", filter={"settings": {"a": 1}})) == 1
    assert len(await tables.caller.result("biconnector.dataset.list", filter={"=fields": ["x"]})) == 1
    assert await tables.caller.result("biconnector.dataset.list", filter={"!sourceId": 1}) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"title": "ASC"}, [5, 4, 1, 3, 2]),
        ({"title": "desc"}, [2, 3, 1, 4, 5]),
        ({"supportMapping": "Desc", "id": "desc"}, [5, 4, 3, 2, 1]),
    ],
)
async def test_an_order_is_followed_in_either_case(
    tables: Portal, order: dict[str, str], expected: list[int]
) -> None:
    await _filled(tables.caller)
    rows = await tables.caller.result(LIST, order=order)

    assert [row["id"] for row in rows] == expected


async def test_without_an_order_the_sequence_is_not_that_of_the_ids_but_repeatable(tables: Portal) -> None:
    await _filled(tables.caller)
    first = [row["id"] for row in await tables.caller.result(LIST)]
    second = [row["id"] for row in await tables.caller.result(LIST)]

    assert first == second
    assert sorted(first) == [1, 2, 3, 4, 5]
    assert first not in ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])


async def test_pages_hold_fifty_rows_and_the_last_one_is_shorter(tables: Portal) -> None:
    for _ in range(51):
        await add_connector(tables.caller)
    pages = [await tables.caller.result(LIST, order=BY_ID, page=page) for page in (1, 2, 3)]
    ids = [[row["id"] for row in page] for page in pages]

    assert ids == [list(range(1, 51)), [51], []]
    for page in (0, -1, "x", None, [2], True, 2**70):
        assert await tables.caller.result(LIST, order=BY_ID, page=page) == pages[0]
    assert await tables.caller.result(LIST, order=BY_ID, page="2") == pages[1]
    assert await tables.caller.result(LIST, order=BY_ID, start=50) == pages[0]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (["id", "title"], {"id", "title"}),
        ({"0": "sort"}, {"sort"}),
        (["settings"], {"settings"}),
    ],
)
async def test_a_select_names_the_fields_of_an_item(
    tables: Portal, select: object, expected: set[str]
) -> None:
    await _filled(tables.caller)

    assert set((await tables.caller.result(LIST, select=select))[0]) == expected


@pytest.mark.parametrize("select", [None, [], ["*"], ["id", "*"]])
async def test_without_a_select_or_with_an_asterisk_all_fields_come(tables: Portal, select: object) -> None:
    await add_connector(tables.caller)
    described = (await tables.caller.result("biconnector.connector.fields"))["fields"]

    item = (await tables.caller.result(LIST, select=select))[0]
    assert set(item) == {field["title"] for field in described}


async def test_a_dataset_comes_without_columns_and_with_its_source(tables: Portal) -> None:
    await add_dataset(tables.caller)
    everything = (await tables.caller.result("biconnector.dataset.list"))[0]
    ignored = await tables.caller.result("biconnector.dataset.list", select=["name", "fields"])

    assert everything["sourceId"] == 1
    assert "fields" not in everything
    assert ignored == [{"name": "orders"}]


async def test_a_source_in_a_list_is_nested_on_a_classic_portal_and_flat_on_a_newer_one(
    tables: Portal, classic: Portal
) -> None:
    items = []
    for portal in (classic, tables):
        await add_source(portal.caller)
        select = ["id", "title", "active", "connectorId"]
        items += await portal.caller.result("biconnector.source.list", select=select)

    assert items == [
        {"connection": {"id": "1", "title": "Shop one", "active": "Y"}, "connectorId": "1"},
        {"id": 1, "title": "Shop one", "active": True, "connectorId": 1},
    ]
