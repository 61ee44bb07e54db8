"""What a destructive act would touch, read from the local portal."""

from __future__ import annotations

import json

import pytest

from bi_mcp.base.quoting import LONGEST_NAME, quote
from bi_mcp.config import GENERATIONS, Generation
from bi_mcp.diagnostics.portal import blast_radius
from bi_mcp.diagnostics.portal.blast_radius import MOST_NAMED, BlastRadius, Thing
from bi_mcp.errors import NotFoundError
from bi_mcp.rest.models import ColumnChanges, ConnectorChanges, DatasetChanges, Parameter, SourceChanges
from tests.rest.calling import CHECK, a_portal, columns, connector_fields, dataset_fields, source_fields

pytestmark = pytest.mark.anyio

LOGIN = Parameter(code="login", name="Login", type="STRING")
PASSWORD = Parameter(code="password", name="Password", type="STRING")


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_connector_reaches_through_all_layers_with_one_request_each(generation: Generation) -> None:
    async with a_portal(generation) as portal:
        bi = portal.bi
        connector = await bi.connectors.add(connector_fields())
        other = await bi.connectors.add(connector_fields(title="Other"))
        first, second = [await bi.sources.add(source_fields(connector)) for _ in range(2)]
        stranger = await bi.sources.add(source_fields(other))
        orders = await bi.datasets.add(dataset_fields(first, "orders"))
        await bi.datasets.add(dataset_fields(second, "goods"))
        await bi.datasets.add(dataset_fields(stranger, "untouched"))
        builder = (await bi.datasets.get(orders)).external_id
        portal.calls.requests.clear()

        radius = await blast_radius.of_connector_deletion(bi, connector)

        assert portal.calls.methods == ["connector.get", "source.list", "dataset.list"]
        text = radius.text()
        assert text.startswith(f'Connector {connector} "Shop" would be deleted. Depends on it: ')
        assert f'2 sources ({first} "Shop one", {second} "Shop one")' in text
        assert f'2 datasets ({orders} "orders", ' in text
        assert f'2 BI Builder datasets ({builder} "orders", ' in text
        assert "datasets go first, then sources" in text
        assert "untouched" not in text


async def test_a_connector_that_nothing_uses_says_so() -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        text = (await blast_radius.of_connector_deletion(portal.bi, connector)).text()
        assert "Nothing depends on it." in text
        assert "refuses" not in text


async def test_a_source_holds_its_datasets_and_no_value_of_a_setting() -> None:
    async with a_portal() as portal:
        bi = portal.bi
        source = await bi.sources.add(
            source_fields(await bi.connectors.add(connector_fields()), password="canary")
        )
        dataset = await bi.datasets.add(dataset_fields(source))
        radius = await blast_radius.of_source_deletion(bi, source)
        assert f'Source {source} "Shop one" would be deleted' in radius.text()
        assert f'1 dataset ({dataset} "orders")' in radius.text()
        said = radius.text() + json.dumps(radius.state())
        assert "password" in said
        assert "canary" not in said
        assert '"ann"' not in said


@pytest.mark.parametrize(("generation", "left"), [("tables", True), ("classic", False)])
async def test_a_dataset_counts_its_columns_and_names_the_builder_dataset_that_it_leaves(
    generation: Generation, left: bool
) -> None:
    async with a_portal(generation) as portal:
        bi = portal.bi
        source = await bi.sources.add(source_fields(await bi.connectors.add(connector_fields())))
        dataset = await bi.datasets.add(dataset_fields(source))
        got = await bi.datasets.get(dataset)
        assert got.fields is not None
        text = (await blast_radius.of_dataset_deletion(bi.datasets, dataset)).text()
        assert "It has 2 columns. " in text
        # It is the dataset itself, seen from BI Builder: it does not depend on it.
        assert "epends on it" not in text
        assert text.count("BI Builder dataset") == 1
        assert (f'Its BI Builder dataset: {got.external_id} "orders".' in text) is not left
        assert (f"Its BI Builder dataset {got.external_id} stays behind" in text) is left
        assert text.count("Charts are not visible from here.") == 1


async def test_columns_are_told_by_name_and_strange_ids_as_strange() -> None:
    async with a_portal() as portal:
        bi = portal.bi
        source = await bi.sources.add(source_fields(await bi.connectors.add(connector_fields())))
        dataset = await bi.datasets.add(dataset_fields(source))
        columns = (await bi.datasets.get(dataset)).fields or []
        text = (await blast_radius.of_column_deletion(bi.datasets, dataset, [columns[1].id, 999])).text()
        assert f'deleted: {columns[1].id} "TITLE", 999 (not a column of this dataset).' in text
        assert f'dataset {dataset} "orders"' in text
        assert "epends on it" not in text


async def test_a_moved_endpoint_is_told_with_the_values_that_would_travel_to_a_new_host() -> None:
    async with a_portal() as portal:
        bi = portal.bi
        connector = await bi.connectors.add(connector_fields())
        source = await bi.sources.add(source_fields(connector))
        changes = ConnectorChanges(url_check="https://user@evil.example/check")
        radius = await blast_radius.of_connector_changes(bi, connector, changes)
        assert radius is not None
        text = radius.text()
        assert f'urlCheck changes from "{CHECK}/check" to "https://•••@evil.example/check".' in text
        assert "hold (login, password) would be sent to evil.example." in text
        assert f'1 source ({source} "Shop one")' in text

        changes = ConnectorChanges(url_data=f"{CHECK}/elsewhere")
        radius = await blast_radius.of_connector_changes(bi, connector, changes)
        assert radius is not None
        assert f'to "{CHECK}/elsewhere".' in radius.text()
        assert "would be sent" not in radius.text()


async def test_a_dropped_parameter_is_told_with_its_code() -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        changes = ConnectorChanges(settings=[LOGIN])
        radius = await blast_radius.of_connector_changes(portal.bi, connector, changes)
        assert radius is not None
        assert 'Its sources lose their values of "password".' in radius.text()


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        (ConnectorChanges(title="New", description="new", sort=5), []),
        (ConnectorChanges(url_check=f"{CHECK}/check"), ["connector.get"]),
        (ConnectorChanges(settings=[LOGIN, PASSWORD]), ["connector.get"]),
        (
            ConnectorChanges(settings=[LOGIN, PASSWORD, Parameter(code="host", name="Host", type="STRING")]),
            ["connector.get"],
        ),
    ],
)
async def test_changes_that_move_nothing_and_drop_nothing_have_no_radius(
    changes: ConnectorChanges, reads: list[str]
) -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        portal.calls.requests.clear()
        assert await blast_radius.of_connector_changes(portal.bi, connector, changes) is None
        assert portal.calls.methods == reads


async def test_the_state_follows_every_object_in_the_radius() -> None:
    async with a_portal() as portal:
        bi = portal.bi
        connector = await bi.connectors.add(connector_fields())
        states = []

        async def note() -> None:
            states.append(json.dumps((await blast_radius.of_connector_deletion(bi, connector)).state()))

        await note()
        await note()
        assert states[0] == states.pop()
        await bi.connectors.update(connector, ConnectorChanges(description="other"))
        await note()
        source = await bi.sources.add(source_fields(connector))
        await note()
        await bi.sources.update(source, SourceChanges(active=False))
        await note()
        for wording in ("one", "two"):
            await bi.sources.update(source, SourceChanges(description=wording))
            await note()
        dataset = await bi.datasets.add(dataset_fields(source))
        await note()
        for wording in ("one", "two"):
            await bi.datasets.update(dataset, DatasetChanges(description=wording))
            await note()
        assert len(set(states)) == len(states) == 9


async def test_the_state_of_a_dataset_follows_its_columns() -> None:
    async with a_portal() as portal:
        bi = portal.bi
        source = await bi.sources.add(source_fields(await bi.connectors.add(connector_fields())))
        dataset = await bi.datasets.add(dataset_fields(source))
        before = (await blast_radius.of_dataset_deletion(bi.datasets, dataset)).state()
        await bi.datasets.update_columns(dataset, ColumnChanges(add=list(columns("MORE"))))
        assert (await blast_radius.of_dataset_deletion(bi.datasets, dataset)).state() != before


async def test_what_is_not_there_is_the_portals_error() -> None:
    async with a_portal() as portal:
        with pytest.raises(NotFoundError):
            await blast_radius.of_dataset_deletion(portal.bi.datasets, 99)


def test_names_from_outside_stay_on_one_line_are_cut_and_many_are_counted() -> None:
    assert quote('a "b"') == r'"a \"b\""'
    assert quote("a\nb\u202ec\u2028d") == '"a�b�c�d"'
    assert quote("Продажи 2026 €") == '"Продажи 2026 €"'
    assert len(quote("x" * 5000)) == LONGEST_NAME + len('"…"')
    things = [Thing("source", id, "s") for id in range(1, MOST_NAMED + 6)]
    text = BlastRadius("Act.", Thing("connector", 1, "c"), things).text()
    assert f"{MOST_NAMED + 5} sources (1 " in text
    assert " and 5 more)" in text
