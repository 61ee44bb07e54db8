"""Each task can be solved, and is not solved by doing nothing, by saying so, or by what tempts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from mcp import Client

from bi_mcp.config import read_settings
from bi_mcp.server.build import build_server
from evals.grading import grade, read_objects
from evals.session import Session, read_surface
from evals.task import Call, Script, Task
from evals.tasks import TASKS
from evals.world import World, open_world

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("tasks for assistants")]

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=str)
TRAPS = pytest.mark.parametrize("task", [task for task in TASKS.values() if task.tempting], ids=str)
WITH_STATE = pytest.mark.parametrize("task", [task for task in TASKS.values() if task.check], ids=str)


@asynccontextmanager
async def session_in(world: World) -> AsyncIterator[Session]:
    """The server of the world's user, in this process."""
    async with Client(build_server(read_settings(world.server_environment()))) as client:
        yield Session(client, await read_surface(client))


async def outcome(task: Task, script: Script) -> tuple[tuple[str, ...], list[Call]]:
    async with open_world(task.build, task.language, task.settings) as world:
        before = await read_objects(world)
        async with session_in(world) as session:
            answer = await session.run(script, world)
        return (await grade(task, world, before, answer)).faults, session.calls


@EVERY
async def test_its_scripted_solution_solves_it_within_the_calls_of_a_person(task: Task) -> None:
    faults, calls = await outcome(task, task.solve)
    assert faults == ()
    assert len(calls) <= task.calls


# They need the set's missing tools: to delete, and for a whole setup. The documentation gives the number.
BEYOND_COMPACT = {"doubled_dataset", "copy_to_production"}


@pytest.mark.parametrize(
    "task", [task for task in TASKS.values() if task.name not in BEYOND_COMPACT], ids=str
)
async def test_the_compact_set_solves_all_but_two(task: Task) -> None:
    compact = replace(task, settings={**task.settings, "BI_MCP_TOOLSETS": "compact"})
    faults, calls = await outcome(compact, task.solve)
    assert faults == ()
    assert len(calls) <= task.calls


@EVERY
async def test_nothing_done_and_nothing_said_does_not_solve_it(task: Task) -> None:
    async with open_world(task.build, task.language, task.settings) as world:
        found = await grade(task, world, await read_objects(world), "")
    assert not found.is_solved


@WITH_STATE
async def test_a_right_answer_without_the_deed_does_not_solve_it(task: Task) -> None:
    async with open_world(task.build, task.language, task.settings) as world:
        before = await read_objects(world)
        assert task.check is not None
        assert await task.check(world)
        every_fact = " ".join(pattern for fact in task.facts for pattern in fact.patterns)
        assert not (await grade(task, world, before, every_fact)).is_solved


@TRAPS
async def test_what_tempts_does_not_solve_it(task: Task) -> None:
    assert task.tempting is not None
    faults, _ = await outcome(task, task.tempting)
    assert faults
