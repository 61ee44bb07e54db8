"""What must hold for every setup. Each example has a portal of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bi_mcp.config import Generation
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.report import Report
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import State
from bi_mcp.setup.state_file import StateInMemory
from tests.setup.setups import HOST, Bench, a_bench, setups, shown

PROPERTY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

GENERATIONS: st.SearchStrategy[Generation] = st.sampled_from(["classic", "tables"])

pytestmark = pytest.mark.campaign("random setups")


def on_a_portal(generation: Generation, play: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with a_bench(generation, Path(folder)) as bench:
                await play(bench)

    anyio.run(run)


async def applied(bench: Bench, setup: Setup, *, prune: bool = False) -> Report:
    workspace = bench.workspace()
    planned = await workspace.plan(setup, prune=prune)
    return await workspace.apply(setup, planned.plan.checksum, prune=prune, most_deletions=1000)


@PROPERTY
@given(setup=setups())
def test_a_setup_survives_its_file(setup: Setup) -> None:
    text = write_setup(setup)
    assert read_setup(text, "bi.yaml") == setup
    assert write_setup(setup, text) == text


@PROPERTY
@given(generation=GENERATIONS, setup=setups())
def test_what_is_applied_needs_no_second_application(generation: Generation, setup: Setup) -> None:
    async def play(bench: Bench) -> None:
        report = await applied(bench, setup)
        assert report.complete, report.as_json()
        again = await bench.workspace().plan(setup, prune=True)
        assert (again.plan.changes, again.plan.notes) == ((), ())
        snapshot = await bench.snapshot()
        assert len(snapshot.datasets) == len(setup.datasets)
        assert len(snapshot.sources) == len(setup.sources)
        assert len(snapshot.connectors) == len(setup.connectors)

    on_a_portal(generation, play)


@PROPERTY
@given(generation=GENERATIONS, setup=setups())
def test_an_exported_portal_applied_to_an_empty_one_exports_the_same_file(
    generation: Generation, setup: Setup
) -> None:
    async def play(bench: Bench) -> None:
        await applied(bench, setup)
        exported = await bench.workspace().export()
        text = write_setup(exported.setup)
        assert not exported.left_out
        on_the_other = read_setup(text, "bi.yaml")
        with tempfile.TemporaryDirectory() as folder:
            async with a_bench(generation, Path(folder)) as other:
                assert (await applied(other, on_the_other)).complete
                assert write_setup((await other.workspace().export()).setup) == text
                assert shown(await other.snapshot()) == shown(await bench.snapshot())

    on_a_portal(generation, play)


@PROPERTY
@given(generation=GENERATIONS, setup=setups())
def test_the_plan_of_an_exported_portal_is_empty_with_and_without_its_state(
    generation: Generation, setup: Setup
) -> None:
    async def play(bench: Bench) -> None:
        await applied(bench, setup)
        workspace = bench.workspace()
        exported = await workspace.export()
        assert (await workspace.plan(exported.setup, prune=True)).plan.changes == ()
        workspace.keeper = StateInMemory(State(portal=HOST))
        without = await workspace.export()
        assert (await workspace.plan(without.setup, prune=True)).plan.changes == ()
        workspace.remember(without)
        assert (await workspace.plan(without.setup, prune=True)).plan.changes == ()

    on_a_portal(generation, play)


@PROPERTY
@given(generation=GENERATIONS, before=setups(), after=setups())
def test_a_portal_becomes_as_the_file_says_whatever_it_was(
    generation: Generation, before: Setup, after: Setup
) -> None:
    async def play(bench: Bench) -> None:
        await applied(bench, before)
        report = await applied(bench, after, prune=True)
        assert report.complete, report.as_json()
        assert (await bench.workspace().plan(after, prune=True)).plan.changes == ()
        snapshot = await bench.snapshot()
        assert sorted(item.name or "" for item in snapshot.datasets.values()) == sorted(
            after.dataset_name(key) for key in after.datasets
        )
        assert len(snapshot.sources) == len(after.sources)
        assert len(snapshot.connectors) == len(after.connectors)

    on_a_portal(generation, play)
