from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.errors import (
    BiMcpError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest import AccessToken, BIConnector, Credential, Webhook
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.gather import GatheringTransport
from bi_mcp.rest.methods import Method, method
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.request import Command, Request, Transport, build_stack
from bi_mcp.rest.transport import HttpTransport
from tests.rest.calling import LOOPBACK, TOKEN, WEBHOOK, Portal, add_source, connector_fields

pytestmark = pytest.mark.anyio

Call = Callable[[], Coroutine[Any, Any, object]]


def gathering(portal: Portal, credential: Credential | None = None) -> BIConnector:
    inner = HttpTransport(LOOPBACK, credential or AccessToken(Secret(TOKEN)), app=portal.calls)
    return BIConnector(build_stack(inner, [GatheringTransport]))


@pytest.fixture
async def bi(tables: Portal) -> AsyncIterator[BIConnector]:
    """A gathering client of a portal with one connector and one source; `tables.calls` is empty."""
    await add_source(tables.bi)
    forget(tables)
    async with gathering(tables) as client:
        yield client


def forget(portal: Portal) -> None:
    portal.calls.requests.clear()
    portal.calls.bodies.clear()


async def together(*calls: Call) -> list[object]:
    """What each call returned or raised, issued at the same time."""
    outcomes: list[object] = [None] * len(calls)

    async def run(index: int, call: Call) -> None:
        try:
            outcomes[index] = await call()
        except BiMcpError as error:
            outcomes[index] = error

    async with anyio.create_task_group() as group:
        for index, call in enumerate(calls):
            group.start_soon(run, index, call)
    return outcomes


async def result(transport: Transport, request: Request) -> object:
    return (await transport.send(request)).result


async def test_reads_issued_together_are_one_request(tables: Portal, bi: BIConnector) -> None:
    connector, source, page = await together(
        lambda: bi.connectors.get(1), lambda: bi.sources.get(1), bi.datasets.list_page
    )
    assert connector == await tables.bi.connectors.get(1)
    assert source == await tables.bi.sources.get(1)
    assert page == await tables.bi.datasets.list_page()
    assert tables.calls.methods[0] == "batch"
    assert len(tables.calls.methods) == 1 + 3


async def test_a_read_alone_is_a_plain_call(tables: Portal, bi: BIConnector) -> None:
    await bi.connectors.get(1)
    await bi.sources.get(1)
    assert tables.calls.methods == ["connector.get", "source.get"]


@pytest.mark.parametrize(
    ("count", "requests"),
    [(2, ["batch"]), (50, ["batch"]), (51, ["batch", "connector.get"]), (120, ["batch"] * 3)],
)
async def test_a_batch_holds_50_of_them(
    tables: Portal, bi: BIConnector, count: int, requests: list[str]
) -> None:
    found = await together(*[lambda: bi.connectors.get(1)] * count)
    assert found == [await tables.bi.connectors.get(1)] * count
    assert sorted(tables.calls.methods[:-1]) == requests


async def test_later_reads_are_gathered_anew(tables: Portal, bi: BIConnector) -> None:
    for _ in range(2):
        await together(lambda: bi.connectors.get(1), lambda: bi.sources.get(1))
    assert tables.calls.methods == ["batch", "batch"]


async def test_writes_go_by_themselves(tables: Portal, bi: BIConnector) -> None:
    added, _, updated = await together(
        lambda: result(bi._transport, bi.connectors.commands.add(connector_fields())),
        lambda: bi.sources.get(1),
        lambda: result(bi._transport, bi.connectors.commands.update(1, ConnectorChanges(title="x"))),
    )
    assert (added, updated) == ({"id": 2}, True)
    assert sorted(tables.calls.methods) == ["connector.add", "connector.update", "source.get"]


async def test_what_would_not_survive_a_batch_goes_by_itself(tables: Portal, bi: BIConnector) -> None:
    one, two, three, none = await together(
        lambda: bi.connectors.list_page(filter={"=supportMapping": False}),
        lambda: bi.connectors.list_page(filter={"=title": "$result[c0][id]"}),
        lambda: bi.datasets.list_page(filter={"=dateUpdate": None}),
        lambda: bi.connectors.list_page(filter={"@id": []}),
    )
    assert "batch" not in tables.calls.methods
    assert len(tables.calls.methods) == 4
    assert not [outcome for outcome in (one, two, three, none) if isinstance(outcome, InvalidRequestError)]


async def test_a_batch_of_the_user_is_not_gathered(tables: Portal, bi: BIConnector) -> None:
    get = bi.connectors.commands.get(1)
    first, second = await together(lambda: bi.batch([get]), lambda: bi.batch([get]))
    assert first == second == [await tables.bi.connectors.get(1)]
    assert tables.calls.methods[:2] == ["batch", "batch"]


async def test_what_is_missing_fails_alone(portal: Portal) -> None:
    await add_source(portal.bi)
    async with gathering(portal) as bi:
        missing, source, other = await together(
            lambda: bi.connectors.get(9), lambda: bi.sources.get(1), lambda: bi.datasets.get(7)
        )
    assert isinstance(missing, NotFoundError)
    assert missing.method == "biconnector.connector.get"
    assert isinstance(other, NotFoundError)
    assert source == await portal.bi.sources.get(1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("cut_before", UnreachableError),
        ("html", UnexpectedAnswerError),
        ("query_limit", LimitError),
        ("internal_error", RefusedError),
    ],
)
async def test_a_failed_request_reaches_everybody_who_waits(
    tables: Portal, bi: BIConnector, fault: str, kind: type[BiMcpError]
) -> None:
    tables.faults.arm(fault, method="batch")
    first, second = await together(lambda: bi.connectors.get(1), lambda: bi.sources.get(1))
    for error, name in ((first, "biconnector.connector.get"), (second, "biconnector.source.get")):
        assert isinstance(error, kind)
        assert name in str(error)
    assert tables.calls.methods == ["batch"]


async def test_the_one_who_is_alone_gets_its_error(tables: Portal, bi: BIConnector) -> None:
    with pytest.raises(NotFoundError):
        await bi.connectors.get(9)
    assert tables.calls.methods == ["connector.get"]


@dataclass
class Readers:
    """Reads of connectors 1, 2 and 3 at the same time, each of which can be cancelled."""

    bi: BIConnector
    scopes: list[anyio.CancelScope] = field(default_factory=lambda: [anyio.CancelScope() for _ in range(3)])
    found: dict[int, str | None] = field(default_factory=dict)

    async def read(self, index: int) -> None:
        with self.scopes[index]:
            self.found[index] = (await self.bi.connectors.get(index + 1)).title


@pytest.fixture
async def readers(tables: Portal, bi: BIConnector) -> Readers:
    for title in ("second", "third"):
        await tables.bi.connectors.add(connector_fields(title=title))
    forget(tables)
    return Readers(bi)


TITLES = {0: "Shop", 1: "second", 2: "third"}


def without(*left: int) -> dict[int, str]:
    return {index: title for index, title in TITLES.items() if index not in left}


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_who_leaves_before_the_request_is_not_asked_for(
    tables: Portal, readers: Readers, left: int
) -> None:
    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(readers.read, index)
        await anyio.lowlevel.checkpoint()
        readers.scopes[left].cancel()
    assert readers.found == without(left)
    assert tables.calls.methods == ["batch"]
    assert tables.calls.bodies[0].count(b"connector.get") == 2


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_who_leaves_during_the_request_does_not_harm_the_others(
    tables: Portal, readers: Readers, left: int
) -> None:
    slow = tables.faults.arm("slow", method="batch")
    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(readers.read, index)
        await slow.reached.wait()
        readers.scopes[left].cancel()
        await anyio.lowlevel.checkpoint()
        slow.release.set()
    assert readers.found == without(left)
    # The first one sent for all; when it leaves, the next one sends again.
    assert tables.calls.methods == (["batch", "batch"] if left == 0 else ["batch"])


async def test_when_two_leave_the_last_one_goes_on_alone(tables: Portal, readers: Readers) -> None:
    slow = tables.faults.arm("slow", method="batch")
    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(readers.read, index)
        await slow.reached.wait()
        readers.scopes[0].cancel()
        readers.scopes[1].cancel()
    assert readers.found == without(0, 1)
    assert tables.calls.methods == ["batch", "connector.get"]


async def test_when_all_leave_nothing_is_sent_and_the_next_ones_are_served(
    tables: Portal, readers: Readers
) -> None:
    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(readers.read, index)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert tables.calls.methods == []
    async with anyio.create_task_group() as group:
        for index in range(3):
            group.start_soon(Readers(readers.bi, found=readers.found).read, index)
    assert readers.found == TITLES
    assert tables.calls.methods == ["batch"]


@pytest.mark.parametrize(
    ("credential", "methods"),
    [
        (Webhook(Secret(WEBHOOK)), ["batch"]),
        (AccessToken(Secret(TOKEN)), ["batch", "connector.get"]),
    ],
)
async def test_what_a_webhook_may_call_is_gathered_apart(
    tables: Portal, credential: Credential, methods: list[str]
) -> None:
    await add_source(tables.bi)
    forget(tables)
    async with gathering(tables, credential) as bi:
        sources, connectors, refused = await together(
            bi.sources.fields, bi.connectors.fields, lambda: bi.connectors.get(1)
        )
    assert isinstance(sources, list)
    assert isinstance(connectors, list)
    assert isinstance(refused, InvalidRequestError) == isinstance(credential, Webhook)
    assert sorted(tables.calls.methods) == methods


@dataclass
class Clock:
    """Time that passes only where somebody waits for it."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("fault", ["query_limit", "cut_after", "html", "internal_error"])
async def test_a_batch_of_reads_is_repeated_by_what_sits_below(tables: Portal, fault: str) -> None:
    await add_source(tables.bi)
    forget(tables)
    clock, inner = Clock(), HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=tables.calls)
    patient = partial(PatientTransport, clock=clock, sleep=clock.sleep)
    tables.faults.arm(fault, method="batch")
    async with BIConnector(build_stack(inner, [patient, GatheringTransport])) as bi:
        connector, source = await together(lambda: bi.connectors.get(1), lambda: bi.sources.get(1))
    assert [connector, source] == [await tables.bi.connectors.get(1), await tables.bi.sources.get(1)]
    assert tables.calls.methods[:2] == ["batch", "batch"]
    assert clock.now > 0


@dataclass
class OneMethodBlocked:
    """A portal on which `source.get` has used up its run time, and a patient transport waits for it."""

    calls: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Envelope:
        self.calls.append(request.method.name)
        if request.method.name != "batch":
            return Envelope("after the wait")
        blocked = {"error": "OPERATION_TIME_LIMIT", "error_description": "Blocked."}
        return Envelope({"result": {"c0": 5}, "result_error": {"c1": blocked}})

    async def aclose(self) -> None:
        self.calls.append("closed")


async def test_a_method_that_is_blocked_waits_by_itself_and_the_others_go_on() -> None:
    inner = OneMethodBlocked()
    transport = GatheringTransport(inner)
    assert await together(
        lambda: result(transport, Command(method("connector", "get"), {"id": 1})),
        lambda: result(transport, Command(method("source", "get"), {"id": 1})),
    ) == [5, "after the wait"]
    await transport.aclose()
    assert inner.calls == ["batch", "biconnector.source.get", "closed"]


async def test_a_blocked_call_alone_is_not_sent_again(tables: Portal, bi: BIConnector) -> None:
    tables.faults.arm("operation_limit", method="biconnector.connector.get")
    with pytest.raises(LimitError, match="OPERATION_TIME_LIMIT"):
        await bi.connectors.get(1)
    assert tables.calls.methods == ["connector.get"]


async def test_reads_that_come_while_the_portals_limit_is_waited_for_join(tables: Portal) -> None:
    due, waiting = anyio.Event(), anyio.Event()

    async def turn(_: Method) -> None:
        waiting.set()
        await due.wait()

    await add_source(tables.bi)
    forget(tables)
    inner = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=tables.calls)
    async with BIConnector(GatheringTransport(inner, turn=turn)) as bi, anyio.create_task_group() as group:
        group.start_soon(bi.connectors.get, 1)
        with anyio.fail_after(30):
            await waiting.wait()
        group.start_soon(bi.sources.get, 1)
        await anyio.wait_all_tasks_blocked()
        assert tables.calls.methods == []
        due.set()
    assert tables.calls.methods == ["batch"]


async def test_a_limit_that_would_be_waited_for_too_long_fails_every_read_of_the_group(
    tables: Portal,
) -> None:
    async def turn(_: Method) -> None:
        raise LimitError(method="x", code="QUERY_LIMIT_EXCEEDED", message="", hint="Later.", status=503)

    inner = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=tables.calls)
    async with BIConnector(GatheringTransport(inner, turn=turn)) as bi:
        outcomes = await together(lambda: bi.connectors.get(1), lambda: bi.sources.get(1))
    assert [type(outcome) for outcome in outcomes] == [LimitError, LimitError]
    assert tables.calls.methods == []


async def test_a_turn_keeps_the_place_for_what_is_sent_next(tables: Portal) -> None:
    inner = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=tables.calls)
    patient = PatientTransport(inner, clock=lambda: 0.0)
    bucket = patient.limiter.bucket
    get = method("connector", "get")
    await patient.turn(get)
    assert (bucket.level(0.0), bucket.waiting) == (0.0, 1)
    await patient.turn(get)
    assert bucket.waiting == 1
    later = bucket.join()
    await patient.send(Command(method("connector", "list"), {}))
    assert (bucket.level(0.0), bucket.waiting, bucket.ahead(later)) == (1.0, 1, 0)


async def test_a_turn_of_a_method_that_is_blocked_meanwhile_holds_nobody_up(tables: Portal) -> None:
    inner = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=tables.calls)
    patient = PatientTransport(inner, clock=lambda: 0.0)
    get = method("connector", "get")
    await patient.turn(get)
    patient.limiter.operating.block(get.name, 100.0, 0.0)
    with pytest.raises(LimitError, match="run time"):
        await patient.send(Command(get, {"id": 1}))
    assert patient.limiter.bucket.waiting == 0
