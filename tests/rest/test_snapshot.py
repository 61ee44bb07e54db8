from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.errors import (
    BiMcpError,
    MethodMissingError,
    PortalError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest import BIConnector
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.query import PAGE_SIZE
from bi_mcp.rest.request import Command, Request
from bi_mcp.rest.snapshot import Snapshot, Vanished
from tests.rest.calling import (
    Answering,
    Portal,
    add_dataset,
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
    read_alone = (await portal.bi.sources.get(3)).documented()
    assert taken.sources[3].documented() == read_alone
    assert [dataset.source_id for dataset in taken.datasets.values()] == [1, 2, 3, 1, 2]
    assert [column.name for column in taken.datasets[4].fields or []] == ["ID", "TITLE"]
    read = await portal.bi.datasets.get(4)
    assert taken.datasets[4] == read.model_copy(update={"source_id": 1})
    assert taken.vanished == ()


async def test_an_empty_portal_takes_one_request(portal: Portal) -> None:
    assert await counted(portal) == (Snapshot({}, {}, {}, ()), 1)


# The lists begin in the first request; each further one carries the pages that follow and what can be read by now.
@pytest.mark.parametrize(
    ("objects", "requests"),
    [
        ((1, 0, 0), 1),
        ((51, 0, 0), 2),
        ((1, 1, 1), 2),
        ((1, 1, 49), 2),
        ((1, 1, 50), 3),
        ((1, 1, 51), 3),
        ((1, 50, 50), 3),
        ((1, 51, 50), 3),
        ((3, 10, 120), 4),
        ((110, 70, 60), 3),
    ],
)
async def test_a_snapshot_takes_few_requests(
    portal: Portal, objects: tuple[int, int, int], requests: int
) -> None:
    await fill(portal.bi, *objects)
    taken, sent = await counted(portal)
    assert (sizes(taken), sent) == (objects, requests)
    assert list(taken.datasets) == list(range(1, objects[2] + 1))
    assert all(dataset.source_id and dataset.fields for dataset in taken.datasets.values())
    assert all(source.settings for source in taken.sources.values())


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
    # The list told all of the source, so its absence is not noticed.
    assert sizes(taken) == (1, 2, 1)
    assert list(taken.vanished) == [Vanished("dataset", 2, "gone")]


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


async def test_a_deletion_between_two_requests_hides_nothing(tables: Portal) -> None:
    await fill(tables.bi, 1, 1, 60)
    async with connect(Meanwhile(tables.app, lambda: tables.bi.datasets.delete(5))) as bi:
        taken = await bi.snapshot()
    assert list(taken.datasets) == [id for id in range(1, 61) if id != 5]
    assert taken.vanished == (Vanished("dataset", 5, "d4"),)


async def test_what_appears_meanwhile_has_its_source_and_connector(tables: Portal) -> None:
    await fill(tables.bi, 1, 1, 50)

    async def add() -> None:
        await fill(tables.bi, 1, 1, 0)
        await tables.bi.datasets.add(dataset_fields(2, "new"))

    async with connect(Meanwhile(tables.app, add)) as bi:
        taken = await bi.snapshot()
    assert sizes(taken) == (2, 2, 51)
    assert taken.datasets[51].source_id == 2


def list_without_settings(portal: Portal, method: str) -> None:
    methods = portal.app.state.portal.methods
    listing = methods[method]

    async def without_settings(call: object) -> list[dict[str, object]]:
        items: list[dict[str, object]] = await listing.handler(call)
        return [{name: item[name] for name in item if name != "settings"} for item in items]

    portal.app.state.portal.methods = {**methods, method: replace(listing, handler=without_settings)}


async def test_connectors_that_are_listed_without_their_parameters_are_read_too(tables: Portal) -> None:
    await fill(tables.bi, 2, 0, 0)
    list_without_settings(tables, "biconnector.connector.list")
    taken, sent = await counted(tables)
    assert sent == 2
    assert [setting.code for setting in taken.connectors[2].settings or []] == ["login", "password"]


async def test_sources_that_are_listed_without_their_values_are_read_too(tables: Portal) -> None:
    await fill(tables.bi, 1, 2, 0)
    list_without_settings(tables, "biconnector.source.list")
    async with connect(Meanwhile(tables.app, lambda: tables.bi.sources.delete(2))) as bi:
        taken = await bi.snapshot()
    assert [setting.code for setting in taken.sources[1].settings or []] == ["login", "password"]
    assert list(taken.vanished) == [Vanished("source", 2, "Shop one")]


async def test_another_applications_objects_are_not_seen(tables: Portal) -> None:
    await add_dataset(tables.bi)
    with tables.app.state.database.transaction() as connection:
        for table in ("connectors", "sources", "datasets"):
            connection.execute(f"UPDATE {table} SET application = 'local.other'")  # noqa: S608  one of three names
    assert sizes(await tables.bi.snapshot()) == (0, 0, 0)


async def test_the_first_error_is_raised(portal: Portal) -> None:
    await add_dataset(portal.bi)
    portal.faults.arm("internal_error", method="batch", times=9)
    with pytest.raises(PortalError) as failed:
        await portal.bi.snapshot()
    assert failed.value.method == "biconnector.dataset.list"
    portal.faults.clear()
    portal.faults.arm("cut_before", method="batch", skip=1)
    with pytest.raises(UnreachableError, match=r"biconnector\.dataset\.get") as cut:
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


Ids = st.builds(
    lambda count, step: list(range(step, (count + 1) * step, step)), st.integers(0, 3000), st.integers(1, 9)
)


@dataclass
class Shelves:
    """A portal of these ids that counts what it is asked. Its list of sources tells their values or does not."""

    ids: Mapping[str, Sequence[int]]
    tells_values: bool
    pages: int = 0
    reads: int = 0
    requests: int = 0

    async def send(self, request: Request) -> Envelope:
        self.requests += 1
        return Envelope({"result": [self.answer(command) for command in request.commands]})

    def answer(self, command: Command[object]) -> object:
        _, kind, operation = command.method.name.split(".")
        if operation == "get":
            self.reads += 1
            return {"item": {"id": command.parameters["id"]}}
        self.pages += 1
        given: Mapping[str, Any] = command.parameters
        start = bisect_right(self.ids[kind], (given.get("filter") or {}).get(">id", 0))
        start += PAGE_SIZE * ((given.get("page") or 1) - 1)
        told: dict[str, object] = (
            {"settings": [{"code": "login", "value": "ann"}]} if self.tells_values else {}
        )
        return [{"id": id, **told} for id in self.ids[kind][start : start + PAGE_SIZE]]

    async def aclose(self) -> None:
        return


@given(ids=st.tuples(Ids, Ids, Ids), tells_values=st.booleans())
@example(ids=([], [], []), tells_values=True)
@example(ids=([1], [1], [1]), tells_values=True)
@example(ids=([*range(1, 51)], [*range(1, 51)], [*range(1, 51)]), tells_values=True)
@example(ids=([*range(1, 151)], [*range(1, 151)], [*range(1, 151)]), tells_values=False)
@settings(max_examples=30, deadline=None)
async def test_commands_are_at_most_six_more_than_pages_and_objects(
    ids: tuple[list[int], list[int], list[int]], tells_values: bool
) -> None:
    connectors, sources, datasets = ids
    shelves = Shelves(dict(zip(KINDS, ids, strict=True)), tells_values=tells_values)
    taken = await BIConnector(shelves).snapshot()
    assert (list(taken.connectors), list(taken.sources), list(taken.datasets)) == ids
    whole = 0 if tells_values else len(connectors) + len(sources)
    assert shelves.reads == whole + len(datasets)
    assert shelves.pages <= sum(len(ids) // PAGE_SIZE + 1 for ids in shelves.ids.values()) + 6
    # Neither waits for pages alone: 3 pages of connectors and of sources fit into a request.
    longest = max(len(connectors), len(sources)) // (3 * PAGE_SIZE) + 1
    assert shelves.requests <= max((shelves.reads + shelves.pages) // 50, longest) + 4


async def test_a_large_portal_takes_as_many_requests_as_its_commands_fill() -> None:
    shelves = Shelves(
        {"connector": range(1, 21), "source": range(1, 101), "dataset": range(1, 1001)}, tells_values=True
    )
    await BIConnector(shelves).snapshot()
    assert (shelves.requests, shelves.reads) == (22, 1000)
