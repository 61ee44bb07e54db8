from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.errors import (
    BiMcpError,
    MethodMissingError,
    PortalError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest import BIConnector, snapshot
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.request import Request
from bi_mcp.rest.snapshot import Snapshot, Vanished
from tests.rest.calling import (
    Answering,
    Portal,
    add_dataset,
    add_source,
    connect,
    connector_fields,
    dataset_fields,
    source_fields,
)

pytestmark = pytest.mark.anyio


async def fill(bi: BIConnector, connectors: int, sources: int, datasets: int) -> None:
    """Connectors 1, 2…; each source is of the first of them, the datasets are dealt out to the sources."""
    added = await bi.batch(
        [bi.connectors.commands.add(connector_fields(title=f"c{n}")) for n in range(connectors)]
    )
    added += await bi.batch([bi.sources.commands.add(source_fields(1)) for _ in range(sources)])
    added += await bi.batch(
        [bi.datasets.commands.add(dataset_fields(1 + n % sources, f"d{n}")) for n in range(datasets)]
    )
    assert not [outcome for outcome in added if isinstance(outcome, BiMcpError)]


async def counted(portal: Portal) -> tuple[Snapshot, int]:
    """A snapshot and the number of its requests, all of which are batches."""
    seen = len(portal.calls.methods)
    taken = await portal.bi.snapshot()
    requests = portal.calls.methods[seen:]
    assert set(requests) == {"batch"}
    return taken, len(requests)


def sizes(taken: Snapshot) -> tuple[int, int, int]:
    return len(taken.connectors), len(taken.sources), len(taken.datasets)


async def test_a_snapshot_holds_everything(portal: Portal) -> None:
    await fill(portal.bi, 2, 3, 5)
    taken, _ = await counted(portal)
    assert (list(taken.connectors), list(taken.sources), list(taken.datasets)) == (
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
    )
    assert [connector.title for connector in taken.connectors.values()] == ["c0", "c1"]
    assert taken.connectors[2] == await portal.bi.connectors.get(2)
    assert {s.code: s.value.reveal() for s in taken.sources[3].settings or []} == {
        "login": "ann",
        "password": "right",
    }
    assert taken.sources[3] == await portal.bi.sources.get(3)
    assert [dataset.source_id for dataset in taken.datasets.values()] == [1, 2, 3, 1, 2]
    assert [column.name for column in taken.datasets[4].fields or []] == ["ID", "TITLE"]
    read = await portal.bi.datasets.get(4)
    assert taken.datasets[4] == read.model_copy(update={"source_id": 1})
    assert taken.vanished == ()


async def test_an_empty_portal_takes_one_request(portal: Portal) -> None:
    assert await counted(portal) == (Snapshot({}, {}, {}, ()), 1)


# One request for all lists, and one for each 50 objects that a list does not tell in full.
@pytest.mark.parametrize(
    ("objects", "requests"),
    [
        ((1, 0, 0), 1),
        ((51, 0, 0), 1),
        ((1, 1, 1), 2),
        ((1, 1, 49), 2),
        ((1, 1, 50), 3),
        ((1, 1, 51), 3),
        ((1, 50, 50), 3),
        ((1, 51, 50), 4),
        ((3, 10, 120), 4),
    ],
)
async def test_a_snapshot_takes_few_requests(
    tables: Portal, objects: tuple[int, int, int], requests: int
) -> None:
    await fill(tables.bi, *objects)
    taken, sent = await counted(tables)
    assert (sizes(taken), sent) == (objects, requests)


@pytest.mark.parametrize(("datasets", "requests"), [(49, 2), (50, 4), (51, 4), (120, 5)])
async def test_a_list_that_goes_on_is_asked_for_more(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, datasets: int, requests: int
) -> None:
    monkeypatch.setattr(snapshot, "FIRST_DATASET_PAGES", 1)
    await fill(portal.bi, 1, 1, datasets)
    taken, sent = await counted(portal)
    assert (list(taken.datasets), sent) == (list(range(1, datasets + 1)), requests)
    assert all(dataset.source_id == 1 and dataset.fields for dataset in taken.datasets.values())


async def test_lists_that_go_on_share_a_request(tables: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FIRST_DATASET_PAGES", 1)
    monkeypatch.setattr(snapshot, "FIRST_SOURCE_PAGES", 1)
    monkeypatch.setattr(snapshot, "FIRST_CONNECTOR_PAGES", 1)
    await fill(tables.bi, 110, 70, 60)
    taken, sent = await counted(tables)
    assert (sizes(taken), sent) == ((110, 70, 60), 2 + 3)


def test_the_first_pages_fill_a_batch() -> None:
    assert snapshot.FIRST_DATASET_PAGES + snapshot.FIRST_SOURCE_PAGES + snapshot.FIRST_CONNECTOR_PAGES == 50


async def test_a_portal_without_the_dataset_family_is_read_by_the_other(tables: Portal) -> None:
    await fill(tables.bi, 1, 1, 3)
    methods = tables.app.state.portal.methods
    tables.app.state.portal.methods = {name: methods[name] for name in methods if ".dataset." not in name}
    taken, sent = await counted(tables)
    assert (list(taken.datasets), sent) == ([1, 2, 3], 3)
    assert [column.name for column in taken.datasets[3].fields or []] == ["ID", "TITLE"]
    # It is remembered.
    assert (await counted(tables))[1] == 2
    assert (await tables.bi.datasets.get(1)).name == "d0"
    assert tables.calls.methods[-1] == "table.get"


async def test_a_portal_without_the_module_says_so(portal: Portal) -> None:
    portal.app.state.portal.methods = {}
    with pytest.raises(MethodMissingError, match=r"biconnector\.(dataset|table)\.list"):
        await portal.bi.snapshot()


@dataclass
class Meanwhile:
    """A portal on which something happens before the second request is answered."""

    app: ASGIApp
    happens: Callable[[], Awaitable[object]]
    requests: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        if self.requests == 2:
            await self.happens()
        await self.app(scope, receive, send)


async def test_what_is_deleted_meanwhile_is_left_out_and_named(portal: Portal) -> None:
    await fill(portal.bi, 1, 2, 1)
    await portal.bi.datasets.add(dataset_fields(2, "gone"))

    async def delete() -> None:
        await portal.bi.datasets.delete(2)
        await portal.bi.sources.delete(2)

    async with connect(Meanwhile(portal.app, delete)) as bi:
        taken = await bi.snapshot()
    assert sizes(taken) == (1, 1, 1)
    assert list(taken.vanished) == [Vanished("source", 2, "Shop one"), Vanished("dataset", 2, "gone")]


async def test_a_source_whose_connector_is_gone_is_kept_as_the_list_tells_it(portal: Portal) -> None:
    await fill(portal.bi, 1, 2, 1)
    with portal.app.state.database.transaction() as connection:
        connection.execute("UPDATE connectors SET application = 'another'")
    taken = await portal.bi.snapshot()
    assert [source.title for source in taken.sources.values()] == ["Shop one", "Shop one"]
    assert (list(taken.connectors), list(taken.datasets), taken.vanished) == ([], [1], ())
    with pytest.raises(RefusedError, match="its connector is gone"):
        await portal.bi.sources.get(1)
    assert (await portal.bi.sources.find(1)).title == "Shop one"
    await portal.bi.sources.delete(2)


async def test_a_deletion_between_two_requests_hides_nothing(
    tables: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "FIRST_DATASET_PAGES", 1)
    await fill(tables.bi, 1, 1, 60)
    async with connect(Meanwhile(tables.app, lambda: tables.bi.datasets.delete(5))) as bi:
        taken = await bi.snapshot()
    assert list(taken.datasets) == [id for id in range(1, 61) if id != 5]
    assert taken.vanished == (Vanished("dataset", 5, "d4"),)


async def test_connectors_that_are_listed_without_their_parameters_are_read_too(tables: Portal) -> None:
    await fill(tables.bi, 2, 1, 0)
    methods = tables.app.state.portal.methods
    listing = methods["biconnector.connector.list"]

    async def without_settings(call: object) -> list[dict[str, object]]:
        items: list[dict[str, object]] = await listing.handler(call)
        return [{name: item[name] for name in item if name != "settings"} for item in items]

    listed = {"biconnector.connector.list": replace(listing, handler=without_settings)}
    tables.app.state.portal.methods = {**methods, **listed}
    taken, sent = await counted(tables)
    assert sent == 2
    assert [setting.code for setting in taken.connectors[2].settings or []] == ["login", "password"]


async def test_another_applications_objects_are_not_seen(tables: Portal) -> None:
    await add_dataset(tables.bi)
    with tables.app.state.database.transaction() as connection:
        for table in ("connectors", "sources", "datasets"):
            connection.execute(f"UPDATE {table} SET application = 'local.other'")  # noqa: S608  one of three names
    assert sizes(await tables.bi.snapshot()) == (0, 0, 0)


async def test_the_first_error_is_raised(portal: Portal) -> None:
    await add_source(portal.bi)
    portal.faults.arm("internal_error", method="batch", times=9)
    with pytest.raises(PortalError) as failed:
        await portal.bi.snapshot()
    assert failed.value.method == "biconnector.dataset.list"
    portal.faults.clear()
    portal.faults.arm("cut_before", method="batch", skip=1)
    with pytest.raises(UnreachableError, match=r"biconnector\.source\.get") as cut:
        await portal.bi.snapshot()
    assert not cut.value.may_have_happened


async def test_an_answer_that_is_no_batch_is_an_error() -> None:
    async with connect(Answering('{"result": true}')) as bi:
        with pytest.raises(UnexpectedAnswerError, match=r"biconnector\.dataset\.list"):
            await bi.snapshot()


class SamePage:
    """A portal that knows no page numbers and no filter."""

    requests = 0

    async def send(self, request: Request) -> Envelope:
        assert request.method.name == "batch"
        self.requests += 1
        page = [{"id": id} for id in range(1, 51)]
        return Envelope({"result": [page] * len(request.commands)})

    async def aclose(self) -> None:
        return


async def test_a_list_that_never_ends_is_an_error() -> None:
    transport = SamePage()
    with pytest.raises(UnexpectedAnswerError, match="the same page for every number"):
        await BIConnector(transport).snapshot()
    assert transport.requests == 2
