"""select, filter, order and page against a portal."""

from __future__ import annotations

from typing import Any

import pytest

from bi_mcp.errors import PortalError, RefusedError
from tests.rest.calling import Portal, add_source, connector_fields, source_fields

pytestmark = pytest.mark.anyio

TITLES = ["My shop", "My store", "Their shop", "50% off", "Market"]


@pytest.fixture
async def shops(portal: Portal) -> Portal:
    """Five connectors, with ids 1 to 5 and sort 10 to 50."""
    for number, title in enumerate(TITLES, start=1):
        await portal.bi.connectors.add(connector_fields(title=title, sort=10 * number))
    return portal


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ({"id": 2}, [2]),
        ({"=id": 2}, [2]),
        ({"!id": 2}, [1, 3, 4, 5]),
        ({"!=id": 2}, [1, 3, 4, 5]),
        ({">id": 3}, [4, 5]),
        ({">=id": 3}, [3, 4, 5]),
        ({"<id": 3}, [1, 2]),
        ({"<=id": 3}, [1, 2, 3]),
        ({"@id": [1, 5, 9]}, [1, 5]),
        ({"!@id": (1, 5, 9)}, [2, 3, 4]),
        ({"%title": "shop"}, [1, 3]),
        ({"=%title": "My%"}, [1, 2]),
        ({"%=title": "%t"}, [5]),
        ({">=sort": 20, "<sort": 40}, [2, 3]),
        ({"logic": "OR", "id": 1, "title": "Market"}, [1, 5]),
        (
            {"logic": "AND", "!description": "x", "0": {"logic": "OR", "%=title": "My%", "@id": [4, 5]}},
            [1, 2, 4, 5],
        ),
        ({"0": {"logic": "OR", "0": {"id": 1}, "1": {"id": 2, "title": "no"}}, "1": {"<id": 9}}, [1]),
        ({"id": 9}, []),
    ],
    ids=str,
)
async def test_every_operator_and_nested_logic_reach_the_portal(
    shops: Portal, conditions: dict[str, Any], ids: list[int]
) -> None:
    page = await shops.bi.connectors.list_page(filter=conditions)
    assert [connector.id for connector in page.items] == ids
    assert [connector.id async for connector in shops.bi.connectors.iterate(filter=conditions)] == ids


async def test_an_order_is_kept_and_without_one_it_is_by_id(shops: Portal) -> None:
    by_title = await shops.bi.connectors.list_page(order={"title": "desc"})
    assert [connector.title for connector in by_title.items] == sorted(TITLES, reverse=True)
    assert [connector.id for connector in (await shops.bi.connectors.list_page()).items] == [1, 2, 3, 4, 5]


async def test_only_selected_fields_come_and_always_the_id(shops: Portal) -> None:
    page = await shops.bi.connectors.list_page(select=["title"], filter={"id": 1})
    assert page.items[0].model_dump(exclude_none=True) == {"id": 1, "title": "My shop"}
    page = await shops.bi.connectors.list_page(select=["*"], filter={"id": 1})
    assert page.items[0].sort == 10


async def test_sources_come_in_one_shape_from_every_generation(portal: Portal) -> None:
    await add_source(portal.bi)
    source = (await portal.bi.sources.list_page()).items[0]
    assert (source.id, source.title, source.active, source.connector_id) == (1, "Shop one", True, 1)
    assert {s.code: s.value.reveal() for s in source.settings or []} == {"login": "ann", "password": "right"}
    chosen = (await portal.bi.sources.list_page(select=["title"])).items[0]
    assert (chosen.id, chosen.title, chosen.code) == (1, "Shop one", None)


async def test_sources_are_found_by_their_connector(portal: Portal) -> None:
    await add_source(portal.bi)
    second = await portal.bi.connectors.add(connector_fields())
    await portal.bi.sources.add(source_fields(second))
    page = await portal.bi.sources.list_page(filter={"connectorId": second})
    assert [source.connector_id for source in page.items] == [second]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (50, 2), (51, 2), (120, 3)])
async def test_a_walk_meets_every_object_once_by_id_and_stops_at_a_short_page(
    portal: Portal, count: int, pages: int
) -> None:
    for number in range(count):
        await portal.bi.connectors.add(connector_fields(title=f"Shop {number}"))
    portal.calls.requests.clear()
    met = [connector.id async for connector in portal.bi.connectors.iterate()]
    assert met == list(range(1, count + 1))
    assert portal.calls.methods == ["connector.list"] * pages


async def test_a_page_says_whether_more_may_follow(tables: Portal) -> None:
    for _ in range(51):
        await tables.bi.connectors.add(connector_fields())
    first = await tables.bi.connectors.list_page()
    second = await tables.bi.connectors.list_page(page=2)
    third = await tables.bi.connectors.list_page(page=3)
    assert [(len(p.items), p.number, p.more) for p in (first, second, third)] == [
        (50, 1, True),
        (1, 2, False),
        (0, 3, False),
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"select": ["colour"]}, "VALIDATION_FIELD_NOT_ALLOWED_IN_SELECT"),
        ({"filter": {"colour": 1}}, "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER"),
        ({"order": {"colour": "ASC"}}, "VALIDATION_FIELD_NOT_ALLOWED_IN_ORDER"),
    ],
)
async def test_an_unknown_field_is_the_portals_to_refuse(
    portal: Portal, query: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedError, match='"colour"') as refused:
        await portal.bi.connectors.list_page(**query)
    error: PortalError = refused.value
    assert (error.code, error.method) == (code, "biconnector.connector.list")
    assert "*.fields" in error.hint
