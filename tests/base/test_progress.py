"""What is reported reaches the listener as numbers that only grow."""

from __future__ import annotations

import pytest

from bi_mcp.base.progress import as_one_step, remark, report, reporting_to

pytestmark = pytest.mark.anyio

Told = list[tuple[float, float | None, str]]


class Ear:
    def __init__(self) -> None:
        self.told: Told = []

    async def __call__(self, done: float, total: float | None, text: str) -> None:
        self.told.append((done, total, text))

    @property
    def values(self) -> list[float]:
        return [done for done, _, _ in self.told]


async def test_without_a_listener_nothing_happens() -> None:
    await report(1, 2, "half")
    with as_one_step():
        await remark("waiting")


async def test_steps_are_told_as_they_are() -> None:
    ear = Ear()
    with reporting_to(ear):
        await report(0, 2, "first")
        await report(1, 2, "second")
    await report(2, 2, "after it")
    assert ear.told == [(0, 2, "first"), (1, 2, "second")]


async def test_remarks_move_a_fraction_and_never_reach_the_next_step() -> None:
    ear = Ear()
    with reporting_to(ear):
        await report(1, 3, "step")
        for _ in range(500):
            await remark("waiting")
        await report(2, 3, "next")
    assert ear.values == sorted(set(ear.values))
    assert ear.values[-2] < 2
    assert all(total == 3 for _, total, _ in ear.told)


async def test_a_step_back_is_a_remark() -> None:
    ear = Ear()
    with reporting_to(ear):
        await remark("waiting before anything began")
        await report(0, 2, "first")
        await report(1, 2, "second")
        await report(0, 9, "from elsewhere")
    assert ear.values == sorted(set(ear.values))
    assert ear.told[1][1:] == (2, "first")
    assert ear.told[-1] == (1.5, 2, "from elsewhere")


async def test_what_is_one_step_of_something_larger_moves_nothing_on() -> None:
    ear = Ear()
    with reporting_to(ear):
        for done in range(2):
            await report(done, 2, f"dataset {done}")
            with as_one_step():
                await report(0, 4, "columns")
                await report(3, 4, "rows")
    assert [(int(done), total) for done, total, _ in ear.told] == [(0, 2)] * 3 + [(1, 2)] * 3
    assert ear.values == sorted(set(ear.values))


async def test_a_total_that_a_remark_would_overrun_is_left_out() -> None:
    ear = Ear()
    with reporting_to(ear):
        await report(2, 2, "done")
        await remark("tidying up")
    assert ear.told[-1] == (2.5, None, "tidying up")
