"""A client that waits for its turn, against a portal with its limits on. Time is a number here, nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from bi_mcp.base.progress import reporting_to
from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings
from bi_mcp.errors import BiMcpError, LimitError, PortalError, UnreachableError
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.methods import method
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.rate_limit import ENTERPRISE, MARGIN, LeakyBucket, Limiter
from bi_mcp.rest.request import Command
from bi_mcp.rest.retry import RetryPolicy
from bi_mcp.rest.transport import HttpTransport
from tests.practice.portal.serving import served
from tests.rest.calling import LOOPBACK, TOKEN, Recorder, connector_fields
from tests.rest.waiting import Time, TimedPortal, a_timed_portal, settle

pytestmark = pytest.mark.anyio

LIST = method("connector", "list")
STUBBORN = RetryPolicy(retries=20, longest_wait_s=10, within_s=120, random=lambda: 1.0)


@pytest.fixture
async def portal() -> AsyncIterator[TimedPortal]:
    async with a_timed_portal() as made:
        yield made


async def at_once(portal: TimedPortal, number: int) -> list[int]:
    """List pages 1 to `number` at the same time; returns the pages in the order in which they were answered."""
    answered: list[int] = []

    async def read(page: int) -> None:
        await portal.bi.connectors.list_page(page=page)
        answered.append(page)

    async with anyio.create_task_group() as group:
        for page in range(1, number + 1):
            group.start_soon(read, page)
    return answered


async def test_many_calls_at_once_wait_in_order_and_none_is_refused(portal: TimedPortal) -> None:
    started = portal.time()
    assert await at_once(portal, 100) == list(range(1, 101))
    assert len(portal.calls.methods) == 100
    assert portal.time() - started == pytest.approx((100 - 50 + MARGIN) / 2)


async def test_an_enterprise_portal_is_used_to_the_full() -> None:
    limiter = Limiter(LeakyBucket(ENTERPRISE))
    async with a_timed_portal(limits="enterprise", limiter=limiter) as portal:
        started = portal.time()
        await at_once(portal, 258)
        assert portal.time() - started == pytest.approx(10 / 5)
        assert limiter.bucket.capacity == ENTERPRISE.capacity - MARGIN


async def test_a_plan_that_was_taken_for_a_bigger_one_costs_time_and_no_call() -> None:
    limiter = Limiter(LeakyBucket(ENTERPRISE))
    async with a_timed_portal(limiter=limiter, max_wait_s=600, policy=STUBBORN) as portal:
        assert sorted(await at_once(portal, 70)) == list(range(1, 71))
        assert len(portal.calls.methods) > 70
        assert limiter.bucket.capacity == pytest.approx(49, abs=1)


async def test_a_wait_that_would_be_too_long_is_an_error_that_names_it(portal: TimedPortal) -> None:
    async with anyio.create_task_group() as group:
        for page in range(1, 109):
            group.start_soon(lambda page: portal.bi.connectors.list_page(page=page), page)
        await settle()
        with pytest.raises(LimitError, match=r"60 requests wait .* would wait 31 s.*was not sent") as raised:
            await portal.bi.connectors.list_page()
    assert raised.value.code == "QUERY_LIMIT_EXCEEDED"
    assert portal.transport.limiter.bucket.waiting == 0
    assert len(portal.calls.methods) == 108


def client_of(portal: TimedPortal, owner: str) -> BIConnector:
    """A client of the same portal and limits on behalf of another owner."""
    http = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=portal.network)
    limiter = portal.transport.limiter.for_owner(owner)
    return BIConnector(
        PatientTransport(
            http, limiter=limiter, clock=portal.time, wall_clock=portal.time, sleep=portal.time.sleep
        )
    )


async def test_whoever_comes_while_another_has_many_calls_waiting_is_next(portal: TimedPortal) -> None:
    started, answered = portal.time(), dict[str, float]()

    async def read(name: str, bi: BIConnector) -> None:
        await bi.connectors.list_page()
        answered[name] = portal.time() - started

    async with (
        client_of(portal, "anna") as anna,
        client_of(portal, "boris") as boris,
        anyio.create_task_group() as group,
    ):
        for _ in range(107):
            group.start_soon(read, "many", portal.bi)
        await settle()
        # Their places in the whole queue would be refused: 60 calls wait, and the portal takes two a second.
        group.start_soon(read, "anna", anna)
        group.start_soon(read, "boris", boris)
    assert answered["anna"] == pytest.approx(0.5)
    assert answered["boris"] == pytest.approx(1.0)
    assert answered["many"] == pytest.approx((109 - 50 + MARGIN) / 2)
    assert portal.transport.limiter.waits.seconds > 60 * 30 / 2


async def test_a_long_wait_is_told_again_and_again_and_a_short_one_is_not(portal: TimedPortal) -> None:
    told: list[str] = []

    async def tell(done: float, total: float | None, text: str) -> None:
        told.append(text)

    await at_once(portal, 48)
    await portal.bi.connectors.list_page()
    async with anyio.create_task_group() as group:
        for page in range(1, 24):
            group.start_soon(lambda page: portal.bi.connectors.list_page(page=page), page)
        await settle()
        with reporting_to(tell):
            await portal.bi.connectors.list_page()
    await portal.bi.connectors.list_page()
    pace = "the portal takes 2 requests a second, and"
    assert told == [f"Waiting 12 s: {pace} 24 wait", f"Waiting 7 s: {pace} 14 wait"]


@pytest.mark.parametrize("place", [0, 7, 19])
async def test_a_cancelled_call_gives_its_place_to_the_next(portal: TimedPortal, place: int) -> None:
    await at_once(portal, 48)
    started = portal.time()
    scopes: list[anyio.CancelScope] = []

    async def read() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await portal.bi.connectors.list_page()

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(read)
        await settle()
        scopes[place].cancel()
    assert [scope.cancelled_caught for scope in scopes].index(True) == place
    assert len(portal.calls.methods) == 48 + 19
    assert portal.transport.limiter.bucket.waiting == 0
    assert portal.time() - started <= 20 / 2
    await portal.bi.connectors.list_page()


async def test_a_method_without_run_time_waits_alone(portal: TimedPortal) -> None:
    portal.faults.arm("operation_limit", method=LIST.name, operating_reset_at=portal.time.now + 20)
    answered: list[tuple[str, float]] = []
    started = portal.time()

    async def read(name: str, call: Any) -> None:
        await call()
        answered.append((name, portal.time() - started))

    async with anyio.create_task_group() as group:
        group.start_soon(read, "list", portal.bi.connectors.list_page)
        await settle()
        group.start_soon(read, "list", portal.bi.connectors.list_page)
        group.start_soon(read, "fields", portal.bi.connectors.fields)
    assert answered == [("fields", 0.0), ("list", 20.0), ("list", 20.0)]
    assert portal.calls.methods.count("connector.list") == 3


async def test_a_method_that_is_blocked_for_long_is_an_error_that_names_the_time(portal: TimedPortal) -> None:
    portal.faults.arm("operation_limit", method=LIST.name, operating_reset_at=1_700_000_300)
    for _ in range(2):
        with pytest.raises(
            LimitError, match=r"again in 300 s, at 22:18:20 UTC; other methods work"
        ) as raised:
            await portal.bi.connectors.list_page()
        assert raised.value.retry_at == 1_700_000_300
    assert portal.calls.methods == ["connector.list"]
    await portal.bi.connectors.fields()
    portal.time.now += 300
    await portal.bi.connectors.list_page()


def use_up(portal: TimedPortal, method: str) -> None:
    app: Any = portal.calls.app
    app.state.portal.limits.after(method, 481, portal.time())


async def test_a_refusal_that_names_no_time_is_waited_out_until_the_one_of_the_last_success() -> None:
    async with a_timed_portal(max_wait_s=600) as portal:
        await portal.bi.connectors.list_page()
        use_up(portal, LIST.name)
        await portal.bi.connectors.list_page()
        # The minute in which the first call ran is forgotten then.
        assert portal.time() == 1_700_000_580
        assert portal.calls.methods == ["connector.list"] * 3


async def test_a_refusal_after_the_named_time_waits_for_the_next_minute_that_is_forgotten() -> None:
    async with a_timed_portal(max_wait_s=600) as portal:
        await portal.bi.connectors.list_page()
        portal.time.now = 1_700_000_590
        use_up(portal, LIST.name)
        portal.time.now = 1_700_001_170
        await portal.bi.connectors.list_page()
        assert portal.time() == 1_700_001_180


async def test_a_refusal_of_which_nobody_knows_the_end_is_an_error(portal: TimedPortal) -> None:
    use_up(portal, LIST.name)
    with pytest.raises(LimitError, match="OPERATION_TIME_LIMIT"):
        await portal.bi.connectors.list_page()
    assert portal.calls.methods == ["connector.list"]


async def test_a_page_that_asks_for_fewer_requests_is_waited_out_as_it_says(portal: TimedPortal) -> None:
    portal.faults.arm("html_limit", method="biconnector.connector.add", seconds=7)
    await portal.bi.connectors.add(connector_fields())
    assert portal.time() == 1_700_000_007
    assert len((await portal.bi.connectors.list_page()).items) == 1


async def test_a_page_that_asks_for_a_long_wait_is_an_error_that_says_so(portal: TimedPortal) -> None:
    portal.faults.arm("html_limit", method="biconnector.connector.add", seconds=3600)
    with pytest.raises(LimitError, match=r"a page came instead .* Try again in 3600 s"):
        await portal.bi.connectors.add(connector_fields())
    assert portal.time() == 1_700_000_000
    assert (await portal.bi.connectors.list_page()).items == []


async def test_a_write_waits_for_its_methods_run_time_and_happens_once(portal: TimedPortal) -> None:
    portal.faults.arm("operation_limit", method="biconnector.connector.add", operating_reset_at=1_700_000_020)
    await portal.bi.connectors.add(connector_fields())
    assert portal.time() == 1_700_000_020
    assert len((await portal.bi.connectors.list_page()).items) == 1


@pytest.mark.parametrize("minutes", [-10, 0, 10])
async def test_a_clock_that_is_off_does_not_change_how_long_is_waited(minutes: int) -> None:
    app = create_app(LocalPortalSettings(access_token=Secret(TOKEN)))
    app.state.faults.arm("operation_limit", operating_reset_at=int(time.time()) + 25)
    counter = Time()
    calls = Recorder(app)
    async with served(calls) as address:
        transport = PatientTransport(
            HttpTransport(f"http://{address}", AccessToken(Secret(TOKEN))),
            clock=counter,
            wall_clock=lambda: time.time() + 60 * minutes,
            sleep=counter.sleep,
        )
        async with BIConnector(transport) as bi:
            await bi.connectors.list_page()
    # The portal's clock is read from the date of its answer, in whole seconds; the test itself may be slow.
    assert 10 <= sum(counter.slept) <= 26
    assert calls.methods == ["connector.list"] * 2


async def test_a_portal_that_is_gone_for_a_minute_and_back_loses_nothing() -> None:
    async with a_timed_portal(policy=STUBBORN) as portal:
        portal.network.back_at = portal.time.now + 60
        assert (await portal.bi.connectors.list_page()).items == []
        assert 60 <= portal.time() - 1_700_000_000 <= 70
        portal.network.back_at = portal.time.now + 60
        connector_id = await portal.bi.connectors.add(connector_fields())
        assert [item.id for item in (await portal.bi.connectors.list_page()).items] == [connector_id]


async def test_a_portal_that_stays_away_is_an_error_that_counts_the_attempts(portal: TimedPortal) -> None:
    portal.network.back_at = portal.time.now + 60
    with pytest.raises(UnreachableError, match=r"could not be reached .* Tried 4 times in 4 s\.$") as raised:
        await portal.bi.connectors.list_page()
    assert TOKEN not in f"{raised.value} {raised.value!r} {raised.value.args}"
    with pytest.raises(UnreachableError, match=r"connector\.add was not sent\..* Tried 4 times") as raised:
        await portal.bi.connectors.add(connector_fields())
    assert not raised.value.may_have_happened
    assert portal.network.refused == 8
    portal.time.now += 60
    assert (await portal.bi.connectors.list_page()).items == []


@pytest.mark.parametrize(
    "fault",
    ["query_limit", "internal_error", "internal_error_after", "html", "html_ok", "cut_before", "cut_after", "truncated", "empty"],
)  # fmt: skip
async def test_a_read_survives_three_bad_answers_and_not_four(portal: TimedPortal, fault: str) -> None:
    portal.faults.arm(fault, times=3)
    assert (await portal.bi.connectors.list_page()).items == []
    portal.faults.arm(fault, times=4)
    with pytest.raises(BiMcpError) as raised:
        await portal.bi.connectors.list_page()
    assert portal.calls.methods == ["connector.list"] * 8
    assert TOKEN not in f"{raised.value} {raised.value!r} {raised.value.args}"


@pytest.mark.parametrize("fault", ["overload", "expired_token"])
async def test_what_does_not_pass_is_not_tried_again(portal: TimedPortal, fault: str) -> None:
    portal.faults.arm(fault)
    with pytest.raises(PortalError, match="refused"):
        await portal.bi.connectors.list_page()
    assert portal.calls.methods == ["connector.list"]


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "html", "empty", "internal_error"])
async def test_a_write_that_may_have_happened_is_sent_once(portal: TimedPortal, fault: str) -> None:
    portal.faults.arm(fault, method="biconnector.connector.add")
    sent = {"fields": connector_fields().to_wire()}
    with pytest.raises(BiMcpError, match="may have been made"):
        await portal.transport.send(Command(method("connector", "add"), sent))
    assert portal.calls.methods == ["connector.add"]


async def test_a_write_that_met_a_limit_is_sent_again_and_happens_once(portal: TimedPortal) -> None:
    portal.faults.arm("query_limit", method="biconnector.connector.add", times=3)
    connector_id = await portal.bi.connectors.add(connector_fields())
    assert [item.id for item in (await portal.bi.connectors.list_page()).items] == [connector_id]


async def test_two_clients_of_one_portal_may_share_a_limiter() -> None:
    limiter = Limiter()
    async with a_timed_portal(limiter=limiter) as portal:
        await at_once(portal, 40)
        other = PatientTransport(portal.transport._inner, limiter=limiter, clock=portal.time)
        await other.send(Command(LIST, {}))
        assert limiter.bucket.level(portal.time()) == 41


async def test_closing_it_closes_the_connections(portal: TimedPortal) -> None:
    await portal.bi.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await portal.bi.connectors.list_page()
