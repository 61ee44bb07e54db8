"""Every fault of the portal on every method: nothing is lost, nothing is doubled, and what is said is what is so."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import get_args

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.errors import (
    BiMcpError,
    InterruptedWriteError,
    NotSynchronisedError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.practice.portal.faults import FaultKind
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect, Method, method
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    DatasetChanges,
    SourceChanges,
)
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.transport import HttpTransport
from tests.rest.calling import (
    LOOPBACK,
    TOKEN,
    UrlCheck,
    WithoutDatasets,
    columns,
    connector_fields,
    dataset_fields,
    portal_app,
    source_fields,
)
from tests.rest.waiting import Time

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("each fault by each method")]

PASSWORD = "pass-word-canary"
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
DROPPED_AFTER_THE_CALL = {"internal_error_after", "cut_after", "slow", "truncated", "empty"}
DROPPED_BEFORE_THE_CALL = {"internal_error", "html", "html_ok", "cut_before"}
REFUSED = {"overload", "operation_limit", "expired_token", "no_code"}

TABLES = ("connectors", "sources", "source_settings", "builder_datasets", "datasets", "dataset_columns")

Act = Callable[[BIConnector], Awaitable[object]]
Stored = Mapping[str, list[Mapping[str, object]]]
Failure = PortalError | UnreachableError | UnexpectedAnswerError | InterruptedWriteError

# What calls each method, on a portal with two connectors, two sources and a dataset; the second ones are in no use.
ACTS: Mapping[str, Act] = {
    "connector.add": lambda bi: bi.connectors.add(connector_fields(title="New")),
    "connector.update": lambda bi: bi.connectors.update(1, ConnectorChanges(title="New", sort=7)),
    "connector.get": lambda bi: bi.connectors.get(1),
    "connector.list": lambda bi: bi.connectors.list_page(),
    "connector.delete": lambda bi: bi.connectors.delete(2),
    "connector.fields": lambda bi: bi.connectors.fields(),
    "source.add": lambda bi: bi.sources.add(source_fields(1, PASSWORD)),
    "source.update": lambda bi: bi.sources.update(1, SourceChanges(settings={"password": Secret(PASSWORD)})),
    "source.get": lambda bi: bi.sources.get(1),
    "source.list": lambda bi: bi.sources.list_page(),
    "source.delete": lambda bi: bi.sources.delete(2),
    "source.fields": lambda bi: bi.sources.fields(),
    "dataset.add": lambda bi: bi.datasets.add(dataset_fields(1, "new")),
    "dataset.update": lambda bi: bi.datasets.update(1, DatasetChanges(description="New")),
    "dataset.get": lambda bi: bi.datasets.get(1),
    "dataset.list": lambda bi: bi.datasets.list_page(),
    "dataset.delete": lambda bi: bi.datasets.delete_reporting(1),
    "dataset.fields": lambda bi: bi.datasets.fields(),
    "dataset.fields.update": lambda bi: bi.datasets.update_columns(
        1,
        ColumnChanges(add=list(columns("PRICE")), update=[ColumnVisibility(id=1, visible=False)], delete=[2]),
    ),
}


@dataclass(frozen=True)
class Case:
    """A method of a portal: of the classic generation, of the newer one, or of one that has only tables any more."""

    generation: Generation
    called: Method
    without_datasets: bool = False

    def __str__(self) -> str:
        return f"{'tables-only' if self.without_datasets else self.generation}-{self.called.name}"

    @property
    def act(self) -> Act:
        name = self.called.name.removeprefix("biconnector.").replace("table.", "dataset.")
        return ACTS[name]


# Where the table family exists, dataset.delete is never called.
CASES = [
    *(Case("classic", called) for called in METHODS),
    *(Case("tables", called) for called in METHODS if called.name != "biconnector.dataset.delete"),
    Case("tables", method("table", "delete")),
    *(Case("tables", called, without_datasets=True) for called in TABLE_METHODS),
]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=str)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


@dataclass
class Network:
    """What lies between the client and the portal. A call that the portal keeps waiting ends with a time-out.

    After the first call of `dies_after` nobody is reached any more.
    """

    app: ASGIApp
    slow: anyio.Event | None = None
    dies_after: str | None = None
    dead: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.dead:
            raise httpx.ConnectError(f"refused {TOKEN}")
        self.dead = self.dies_after is not None and scope["path"].endswith(f"/{self.dies_after}")
        if self.slow is None:
            await self.app(scope, receive, send)
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._time_out, self.slow, group.cancel_scope)
            await self.app(scope, receive, send)
            group.cancel_scope.cancel()
        if self.slow.is_set():
            self.slow = None
            raise httpx.ReadTimeout(f"slow {TOKEN}")

    async def _time_out(self, slow: anyio.Event, call: anyio.CancelScope) -> None:
        await slow.wait()
        call.cancel()


@dataclass
class World:
    """A portal with something on it, seen from both sides."""

    bi: BIConnector
    app: Starlette
    network: Network
    time: Time

    def arm(self, kind: FaultKind, called: Method) -> None:
        fault = self.app.state.faults.arm(kind, method=called.name)
        self.network.slow = fault.reached if kind == "slow" else None

    def stored(self) -> Stored:
        """All objects that the portal has, but for the moments at which they came there."""
        with self.app.state.database.snapshot() as connection:
            return {table: [_without_moments(row) for row in _rows(connection, table)] for table in TABLES}


def _rows(connection: sqlite3.Connection, table: str) -> list[sqlite3.Row]:
    return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608  one of TABLES


def _without_moments(row: sqlite3.Row) -> Mapping[str, object]:
    return {name: value for name, value in zip(row.keys(), row, strict=True) if not name.startswith("date")}


@asynccontextmanager
async def a_world(case: Case) -> AsyncIterator[World]:
    app = portal_app(case.generation, "result", UrlCheck())
    network = Network(WithoutDatasets(app) if case.without_datasets else app)
    time = Time()
    http = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=network)
    transport = PatientTransport(http, clock=time, wall_clock=time, sleep=time.sleep)
    async with BIConnector(transport) as bi:
        for title in ("Shop", "Spare"):
            await bi.connectors.add(connector_fields(title=title))
            await bi.sources.add(source_fields(1))
        await bi.datasets.add(dataset_fields(1))
        yield World(bi, app, network, time)


_done: dict[Case, Stored] = {}


async def after_the_call(case: Case) -> Stored:
    """What a portal stores when nothing goes wrong."""
    if case not in _done:
        async with a_world(case) as world:
            await case.act(world.bi)
            _done[case] = world.stored()
    return _done[case]


def printed(error: BaseException) -> str:
    return f"{error} {error!r} {error.args} {vars(error)} {''.join(traceback.format_exception(error))}"


async def failure_of(case: Case, world: World) -> Failure | None:
    """Call, and return the error if there is one. Every error names the method and no secret."""
    try:
        await case.act(world.bi)
    except (PortalError, UnreachableError, UnexpectedAnswerError, InterruptedWriteError) as error:
        failure = error
    else:
        return None
    assert failure.method == case.called.name
    assert str(failure).startswith(case.called.name)
    for secret in (TOKEN, PASSWORD):
        assert secret not in printed(failure)
    return failure


def expected(case: Case, kind: FaultKind) -> type[BiMcpError] | None:
    if kind == "sync_failure":
        return NotSynchronisedError if case.called.operation == "fields.update" else None
    if kind in REFUSED:
        return PortalError
    if case.called.effect is not Effect.READ and kind in DROPPED_BEFORE_THE_CALL:
        return InterruptedWriteError
    return None


@EVERY_KIND
@EVERY_CASE
async def test_what_the_client_says_is_what_the_portal_stores(case: Case, kind: FaultKind) -> None:
    done = await after_the_call(case)
    async with a_world(case) as world:
        before = world.stored()
        world.arm(kind, case.called)
        error = await failure_of(case, world)
        assert isinstance(error, expected(case, kind) or type(None))
        if isinstance(error, InterruptedWriteError):
            assert error.outcome == "not_done"
        claimed = done if error is None or isinstance(error, NotSynchronisedError) else before
        assert world.stored() == claimed
        if claimed != done:
            # Once the bad day is over, what was told to be undone can be done, and is done once.
            world.time.now += 600
            await case.act(world.bi)
            assert world.stored() == done


@pytest.mark.parametrize("kind", sorted(DROPPED_AFTER_THE_CALL | DROPPED_BEFORE_THE_CALL))
@pytest.mark.parametrize("case", [case for case in CASES if case.called.effect is not Effect.READ], ids=str)
async def test_where_the_portal_dies_with_the_call_a_write_is_unknown_and_not_doubled(
    case: Case, kind: FaultKind
) -> None:
    done = await after_the_call(case)
    async with a_world(case) as world:
        before = world.stored()
        world.arm(kind, case.called)
        world.network.dies_after = case.called.name
        error = await failure_of(case, world)
        assert isinstance(error, InterruptedWriteError)
        assert error.outcome == "unknown"
        assert "the look failed too" in str(error)
        assert world.stored() == (done if kind in DROPPED_AFTER_THE_CALL else before)


@pytest.mark.parametrize("case", [case for case in CASES if case.called.effect is Effect.READ], ids=str)
async def test_where_the_portal_dies_with_the_call_a_read_fails_and_says_so(case: Case) -> None:
    async with a_world(case) as world:
        before = world.stored()
        world.arm("html", case.called)
        world.network.dies_after = case.called.name
        error = await failure_of(case, world)
        assert isinstance(error, UnreachableError | UnexpectedAnswerError)
        assert "Tried 4 times" in str(error)
        assert world.stored() == before
