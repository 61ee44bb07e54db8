"""An application that is killed at any moment, or meets a portal on a bad day: the next one ends in the same state."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bi_mcp.config import Generation
from bi_mcp.errors import BiMcpError
from bi_mcp.practice.portal.faults import FaultKind
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.request import Request, Transport
from bi_mcp.setup.pending import Pending
from bi_mcp.setup.report import Report
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import State
from bi_mcp.setup.state_file import StateKeeper
from bi_mcp.setup.workspace import Workspace
from tests.setup.setups import Bench, a_bench, setups, shown

PROPERTY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

Moment = Literal["before", "after"]
FAULTS: tuple[FaultKind, ...] = (
    "query_limit",
    "internal_error",
    "internal_error_after",
    "html",
    "html_ok",
    "cut_before",
    "cut_after",
    "truncated",
    "empty",
)

GENERATIONS: st.SearchStrategy[Generation] = st.sampled_from(["classic", "tables"])

pytestmark = pytest.mark.campaign("kills at every step")


class Killed(BaseException):
    """Nothing catches it: what runs ends here, as a killed process does."""


@dataclass
class Killer:
    """A transport under which the process dies: at the n-th write, before it leaves or after the portal made it."""

    inner: Transport
    writes: int
    moment: Moment

    async def send(self, request: Request) -> Envelope:
        if request.method.effect is Effect.READ:
            return await self.inner.send(request)
        self.writes -= 1
        if self.writes < 0 and self.moment == "before":
            raise Killed
        answer = await self.inner.send(request)
        if self.writes < 0:
            raise Killed
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


@dataclass
class Clumsy:
    """Files of a process that dies at the n-th change to them, before or after it is on the disk."""

    inner: StateKeeper
    changes: int
    moment: Moment

    def read(self) -> State:
        return self.inner.read()

    def read_pending(self) -> Pending | None:
        return self.inner.read_pending()

    def write(self, state: State) -> None:
        self._dying(lambda: self.inner.write(state))

    def write_pending(self, pending: Pending | None) -> None:
        self._dying(lambda: self.inner.write_pending(pending))

    def _dying(self, write: Callable[[], None]) -> None:
        self.changes -= 1
        if self.changes < 0 and self.moment == "before":
            raise Killed
        write()
        if self.changes < 0:
            raise Killed


async def apply_once(workspace: Workspace, setup: Setup) -> Report:
    """As the command does: clear up, plan, apply."""
    await workspace.resume()
    planned = await workspace.plan(setup, prune=True)
    return await workspace.apply(setup, planned.plan.checksum, prune=True, most_deletions=1000)


async def check_outcome(bench: Bench, setup: Setup, reference: Bench) -> None:
    assert (await bench.workspace().plan(setup, prune=True)).plan.changes == ()
    assert shown(await bench.snapshot()) == shown(await reference.snapshot())
    assert bench.workspace().keeper.read_pending() is None


def killing(bench: Bench, writes: int, moment: Moment) -> Workspace:
    transport = bench.portal.bi._transport
    return bench.workspace(bi=BIConnector(Killer(transport, writes, moment)))


@PROPERTY
@given(
    generation=GENERATIONS,
    before=setups(),
    after=setups(),
    kills=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["before", "after"])), min_size=1, max_size=3
    ),
)
def test_killed_around_any_request(
    generation: Generation, before: Setup, after: Setup, kills: list[tuple[int, Moment]]
) -> None:
    async def play(bench: Bench, reference: Bench) -> None:
        for each in (bench, reference):
            await apply_once(each.workspace(), before)
        for writes, moment in kills:
            try:
                await apply_once(killing(bench, writes, moment), after)
            except Killed:
                continue
        assert (await apply_once(bench.workspace(), after)).complete
        await apply_once(reference.workspace(), after)
        await check_outcome(bench, after, reference)

    on_two_portals(generation, play)


@PROPERTY
@given(
    generation=GENERATIONS,
    setup=setups(),
    kills=st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from(["before", "after"])), min_size=1, max_size=3
    ),
)
def test_killed_around_any_change_of_its_files(
    generation: Generation, setup: Setup, kills: list[tuple[int, Moment]]
) -> None:
    async def play(bench: Bench, reference: Bench) -> None:
        for changes, moment in kills:
            workspace = bench.workspace()
            workspace.keeper = Clumsy(workspace.keeper, changes, moment)
            try:
                await apply_once(workspace, setup)
            except Killed:
                continue
        assert (await apply_once(bench.workspace(), setup)).complete
        await apply_once(reference.workspace(), setup)
        await check_outcome(bench, setup, reference)

    on_two_portals(generation, play)


@PROPERTY
@given(
    generation=GENERATIONS,
    before=setups(),
    after=setups(),
    faults=st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 12)), min_size=1, max_size=4),
)
def test_on_a_portal_with_a_bad_day(
    generation: Generation, before: Setup, after: Setup, faults: list[tuple[FaultKind, int]]
) -> None:
    async def play(bench: Bench, reference: Bench) -> None:
        for each in (bench, reference):
            await apply_once(each.workspace(), before)
        for kind, skip in faults:
            bench.portal.faults.arm(kind, skip=skip)
        for _ in range(len(faults) + 1):
            try:
                report = await apply_once(bench.workspace(), after)
            except BiMcpError:
                continue
            if report.complete:
                break
        bench.portal.faults.clear()
        assert (await apply_once(bench.workspace(), after)).complete
        await apply_once(reference.workspace(), after)
        await check_outcome(bench, after, reference)

    on_two_portals(generation, play)


def on_two_portals(generation: Generation, play: Callable[[Bench, Bench], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            async with a_bench(generation, Path(one)) as bench, a_bench(generation, Path(two)) as reference:
                await play(bench, reference)

    anyio.run(run)
