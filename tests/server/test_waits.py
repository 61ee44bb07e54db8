"""A call that waits for the portal's limits says so to the client, in both eras, and can be cancelled."""

from __future__ import annotations

import anyio
import pytest
from mcp import Client

from bi_mcp.base.secret import Secret
from bi_mcp.config import LocalPortalSettings, Settings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.rate_limit import LeakyBucket, Limiter, RatePlan
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from tests.server.conftest import Era
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio

TOKEN = Secret("token-of-the-tests")
# One request at once, then one every ten seconds.
NARROW = RatePlan(capacity=3, drain_per_s=0.1)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await anyio.lowlevel.checkpoint()


class StandingClock(Clock):
    """A clock on which nobody who sleeps wakes up."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = anyio.Event()

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002  the signature of the other clock
        self.asleep.set()
        await anyio.sleep_forever()


def narrow(clock: Clock) -> BIConnector:
    app = create_app(LocalPortalSettings(access_token=TOKEN))
    http = HttpTransport("http://localhost", AccessToken(TOKEN), app=app)
    limiter = Limiter(bucket=LeakyBucket(NARROW))
    return BIConnector(PatientTransport(http, limiter=limiter, clock=clock, sleep=clock.sleep))


async def test_a_long_wait_is_told_as_progress(era: Era) -> None:
    clock = Clock()
    told: list[str] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with Client(build_server(Settings(), connect=lambda: narrow(clock)), mode=era) as client:
        talk = Talk(client)
        await talk.done("connector_list")
        assert told == []
        result = await client.call_tool("connector_list", {}, progress_callback=report)
        assert not result.is_error
        # Notifications may come after the answer: one more round trip lets them arrive.
        await client.list_tools()
    assert clock.now >= 1010
    assert told
    assert all(message.startswith("Waiting") for message in told)


async def test_a_waiting_call_can_be_cancelled_and_leaves_the_limit_as_it_was(era: Era) -> None:
    clock = StandingClock()
    bi = narrow(clock)
    async with Client(build_server(Settings(), connect=lambda: bi), mode=era) as client:
        await Talk(client).done("connector_list")
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "connector_list", {})
            with anyio.fail_after(30):
                await clock.asleep.wait()
            group.cancel_scope.cancel()
        clock.now += 10
        await Talk(client).done("connector_list")
