"""The whole way of a user, on both generations of a portal, with its errors in both places."""

from __future__ import annotations

import pytest

from bi_mcp.base.progress import reporting_to
from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.errors import (
    AlreadyExistsError,
    ConnectionCheckError,
    InUseError,
    InvalidRequestError,
    NotFoundError,
    NotSynchronisedError,
    PortalError,
)
from bi_mcp.rest import AccessToken
from bi_mcp.rest.methods import METHODS, TABLE_METHODS
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    DatasetChanges,
    Parameter,
    SourceChanges,
)
from tests.rest.calling import (
    CHECK,
    Portal,
    add_dataset,
    add_source,
    columns,
    connect,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio


async def test_a_connector_lives_from_its_creation_to_its_end(portal: Portal) -> None:
    connectors = portal.bi.connectors
    connector_id = await connectors.add(connector_fields(description="Orders", sort=5))
    await connectors.update(connector_id, ConnectorChanges(title="Big shop"))
    connector = await connectors.get(connector_id)
    assert (connector.id, connector.title, connector.description) == (connector_id, "Big shop", "Orders")
    assert (connector.sort, connector.url_check) == (5, f"{CHECK}/check")
    assert [(s.code, s.name, s.type) for s in connector.settings or []] == [
        ("login", "Login", "STRING"),
        ("password", "Password", "STRING"),
    ]
    await connectors.delete(connector_id)
    with pytest.raises(NotFoundError):
        await connectors.get(connector_id)


async def test_settings_replace_the_whole_list_of_a_connectors_parameters(portal: Portal) -> None:
    connector_id = await portal.bi.connectors.add(connector_fields())
    changes = ConnectorChanges(settings=[Parameter(code="port", name="Port", type="INT")])
    await portal.bi.connectors.update(connector_id, changes)
    connector = await portal.bi.connectors.get(connector_id)
    assert [setting.code for setting in connector.settings or []] == ["port"]


async def test_a_source_keeps_what_an_update_does_not_mention(portal: Portal) -> None:
    sources = portal.bi.sources
    source_id = await add_source(portal.bi)
    await sources.update(source_id, SourceChanges(settings={"login": Secret("bob")}))
    source = await sources.get(source_id)
    assert (source.id, source.title, source.type, source.active) == (source_id, "Shop one", "rest", True)
    assert source.code == f"rest_{source.connector_id}"
    assert {s.code: s.value.reveal() for s in source.settings or []} == {"login": "bob", "password": "right"}
    assert [sent["connection[login]"] for sent in portal.check.received] == ["ann", "bob"]
    await sources.delete(source_id)
    with pytest.raises(NotFoundError):
        await sources.get(source_id)


async def test_a_source_that_its_connector_refuses_is_not_created(portal: Portal) -> None:
    connector_id = await portal.bi.connectors.add(connector_fields())
    with pytest.raises(ConnectionCheckError, match="no source was created") as refused:
        await portal.bi.sources.add(source_fields(connector_id, password="wrong"))
    assert refused.value.code == "SOURCE_CREATE_CONNECTION_ERROR"
    assert (await portal.bi.sources.list_page()).items == []


async def test_a_dataset_and_its_columns_change_within_their_rules(portal: Portal) -> None:
    datasets = portal.bi.datasets
    dataset_id = await add_dataset(portal.bi)
    await datasets.update(dataset_id, DatasetChanges(description="All orders"))
    first = (await datasets.get(dataset_id)).fields or []
    changes = ColumnChanges(
        add=list(columns("PRICE")),
        update=[ColumnVisibility(id=first[0].id, visible=False)],
        delete=[first[1].id],
    )
    await datasets.update_columns(dataset_id, changes)
    dataset = await datasets.get(dataset_id)
    assert (dataset.name, dataset.description, dataset.external_name) == ("orders", "All orders", "Orders")
    shown = [(column.name, column.external_code, column.visible) for column in dataset.fields or []]
    assert shown == [("ID", "id", False), ("PRICE", "price", True)]
    await datasets.delete(dataset_id)
    with pytest.raises(NotFoundError):
        await datasets.get(dataset_id)


async def test_the_fields_of_each_group_say_what_is_required(portal: Portal) -> None:
    for group, required in (
        (portal.bi.connectors, {"title", "logo", "settings", "urlData"}),
        (portal.bi.sources, {"title", "connectorId", "settings"}),
        (portal.bi.datasets, {"name", "sourceId", "externalCode", "externalName", "fields"}),
    ):
        fields = {field.title: field for field in await group.fields()}
        assert required <= {title for title, field in fields.items() if field.is_required}
        assert fields["id"].is_read_only
        assert not fields["title" if "title" in fields else "name"].is_read_only


async def test_nothing_is_deleted_from_under_what_depends_on_it(portal: Portal) -> None:
    await add_dataset(portal.bi)
    with pytest.raises(InUseError, match=r"CONNECTOR_DELETE_RESTRICTED.*source\.list"):
        await portal.bi.connectors.delete(1)
    with pytest.raises(InUseError, match=r"BX_ERROR.*dataset\.list"):
        await portal.bi.sources.delete(1)


async def test_a_name_that_is_taken_is_refused_by_either_code(portal: Portal, generation: Generation) -> None:
    await add_dataset(portal.bi)
    with pytest.raises(AlreadyExistsError, match="whole portal") as refused:
        await portal.bi.datasets.add(dataset_fields(1))
    assert refused.value.code == {"classic": "DATASET_ALREADY_EXIST", "tables": "NAME_EXISTS"}[generation]


async def test_columns_are_saved_when_bi_builder_does_not_follow(portal: Portal) -> None:
    dataset_id = await add_dataset(portal.bi)
    portal.faults.arm("sync_failure")
    with pytest.raises(NotSynchronisedError, match=r"ARE saved.*Do not send the change again") as raised:
        await portal.bi.datasets.update_columns(dataset_id, ColumnChanges(add=list(columns("PRICE"))))
    assert raised.value.code == "DATASET_UPDATE_ERROR"
    assert [c.name for c in (await portal.bi.datasets.get(dataset_id)).fields or []] == [
        "ID",
        "TITLE",
        "PRICE",
    ]


async def test_another_applications_objects_are_not_found(portal: Portal) -> None:
    source_id = await add_source(portal.bi)
    tokens = portal.app.state.tokens
    issued = tokens.issue(tokens.register("Other", "https://other.example/"), 5)
    async with connect(portal.app, AccessToken(Secret(issued["access_token"]))) as other:
        assert (await other.sources.list_page()).items == []
        with pytest.raises(NotFoundError, match="or another application created it") as missing:
            await other.sources.get(source_id)
    error: PortalError = missing.value
    assert (error.code, error.message) == ("SOURCE_NOT_FOUND", "Source was not found.")
    assert (error.method, error.status) == ("biconnector.source.get", 200)


async def test_progress_names_the_commands_only_if_they_take_several_requests(portal: Portal) -> None:
    reports: list[str] = []

    async def keep(_: float, __: float | None, text: str) -> None:
        reports.append(text)

    command = portal.bi.connectors.commands.fields()
    with reporting_to(keep):
        await portal.bi.batch([command] * 3)
        assert reports == []
        await portal.bi.batch([command] * 51)
    assert reports == [
        "Commands 1 to 50 of 51 go to the portal",
        "Commands 51 to 51 of 51 go to the portal",
    ]


async def test_all_19_methods_are_reached(portal: Portal, generation: Generation) -> None:
    await test_a_connector_lives_from_its_creation_to_its_end(portal)
    await test_a_source_keeps_what_an_update_does_not_mention(portal)
    await test_a_dataset_and_its_columns_change_within_their_rules(portal)
    await test_the_fields_of_each_group_say_what_is_required(portal)
    for group in (portal.bi.connectors, portal.bi.sources, portal.bi.datasets):
        await group.list_page()
    known = {method.name.removeprefix("biconnector.") for method in METHODS}
    called = set(portal.calls.methods)
    assert len(known) == 19
    if generation == "tables":
        assert known - called == {"dataset.delete"}
        assert called - known == {"table.fields", "table.delete"}
    else:
        assert known - called == set()
        assert called - known == {"table.fields"}


def test_the_table_family_has_the_methods_of_the_datasets() -> None:
    tables = {method.name.replace(".table.", ".dataset.") for method in TABLE_METHODS}
    datasets = {method.name for method in METHODS if method.group == "dataset"}
    assert tables == datasets


@pytest.mark.parametrize("id", [0, -1, True, "5", 1.0, None])
async def test_what_is_no_id_is_not_sent(tables: Portal, id: int) -> None:
    for call in (
        tables.bi.connectors.get(id),
        tables.bi.sources.delete(id),
        tables.bi.datasets.delete(id),
        tables.bi.connectors.update(id, ConnectorChanges(title="x")),
        tables.bi.datasets.update_columns(id, ColumnChanges(delete=[1])),
    ):
        with pytest.raises(InvalidRequestError, match="positive whole number"):
            await call
    assert tables.calls.methods == []


async def test_a_change_of_nothing_is_not_sent(tables: Portal) -> None:
    for call in (
        tables.bi.connectors.update(1, ConnectorChanges()),
        tables.bi.sources.update(1, SourceChanges()),
        tables.bi.datasets.update_columns(1, ColumnChanges(add=[])),
    ):
        with pytest.raises(InvalidRequestError, match="nothing to change"):
            await call
    assert tables.calls.methods == []


async def test_newer_fields_are_not_sent_to_a_classic_portal(classic: Portal) -> None:
    for attempt in range(2):
        with pytest.raises(
            InvalidRequestError, match=r"no supportMapping and no sourceCode.*Nothing was sent"
        ):
            await classic.bi.connectors.add(connector_fields(support_mapping=True, source_code="shop"))
        with pytest.raises(InvalidRequestError, match="no supportMapping"):
            await classic.bi.connectors.update(1 + attempt, ConnectorChanges(support_mapping=False))
    assert classic.calls.methods == ["connector.fields"]


async def test_newer_fields_are_sent_where_the_portal_lists_them(tables: Portal) -> None:
    connector_id = await tables.bi.connectors.add(connector_fields(support_mapping=True, source_code="shop"))
    connector = await tables.bi.connectors.get(connector_id)
    assert (connector.support_mapping, connector.source_code) == (True, "shop")
    assert tables.calls.methods == ["connector.fields", "connector.list", "connector.add", "connector.get"]
