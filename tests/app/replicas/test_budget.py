"""How replicas share what the portal allows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from redis.asyncio import Redis

from bi_mcp.app.replicas.budget import LIFETIME_S, REPLICAS, SharedBudget
from tests.app.replicas.redis import broken_redis, running_redis

pytestmark = [pytest.mark.anyio, pytest.mark.needs("redis-server")]


@pytest.fixture
async def store(redis: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis) as store:
        yield store


async def test_one_replica_has_everything(store: Redis) -> None:
    budget = SharedBudget(store)
    await budget.beat()
    await budget.beat()
    assert budget.share == 1.0


async def test_replicas_have_equal_shares_after_a_beat_of_each(store: Redis) -> None:
    budgets = [SharedBudget(store) for _ in range(3)]
    for budget in budgets:
        await budget.beat()
    assert budgets[2].share == pytest.approx(1 / 3), "a new replica counts itself from its first beat"
    for budget in budgets:
        await budget.beat()
    assert [budget.share for budget in budgets] == pytest.approx([1 / 3] * 3)


async def test_who_leaves_gives_its_share_back(store: Redis) -> None:
    stays, goes = SharedBudget(store), SharedBudget(store)
    await stays.beat()
    await goes.beat()
    await stays.beat()
    assert stays.share == 0.5
    await goes.leave()
    await stays.beat()
    assert stays.share == 1.0


async def test_who_dies_is_forgotten_after_its_lifetime_and_not_before(store: Redis) -> None:
    now, _ = await store.time()
    await store.zadd(REPLICAS, {"died": now - LIFETIME_S, "missed a beat": now - LIFETIME_S + 6})
    budget = SharedBudget(store)
    await budget.beat()
    assert budget.share == 0.5


async def test_replicas_that_beat_at_the_same_moment_are_all_counted(store: Redis) -> None:
    budgets = [SharedBudget(store) for _ in range(33)]
    for _ in range(2):
        async with anyio.create_task_group() as group:
            for budget in budgets:
                group.start_soon(budget.beat)
    assert [budget.share for budget in budgets] == pytest.approx([1 / 33] * 33)


async def test_limiters_are_told_the_share_at_once_and_at_each_change(store: Redis) -> None:
    told: list[float] = []
    budget = SharedBudget(store)
    budget.follow(told.append)
    await SharedBudget(store).beat()
    await budget.beat()
    await budget.beat()
    assert told == [1.0, 0.5]


async def test_who_ends_leaves(store: Redis) -> None:
    async def end(_: float) -> None:
        assert await store.zcard(REPLICAS) == 1
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await SharedBudget(store, sleep=end).run()
    assert await store.zcard(REPLICAS) == 0


async def test_while_the_store_is_away_the_share_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def end(_: float) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with running_redis(tmp_path) as address:
        store = Redis.from_url(address, retry=None)
        budget = SharedBudget(store, sleep=end)
        await SharedBudget(store).beat()
        await budget.beat()
    with anyio.CancelScope() as scope:
        await budget.run()
    await store.aclose()
    assert budget.share == 0.5
    assert "BI_MCP_SHARED_STORE" in caplog.text
    assert "password" not in caplog.text


async def test_a_broken_answer_does_not_end_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def end(_: float) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    async with broken_redis() as address, Redis.from_url(address, retry=None) as broken:
        budget = SharedBudget(broken, sleep=end)
        with anyio.CancelScope() as scope:
            await budget.run()
    assert budget.share == 1.0
    assert "BI_MCP_SHARED_STORE" in caplog.text
    assert "hunter2" not in caplog.text
