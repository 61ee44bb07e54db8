"""How replicas share what the portal allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from key_value.aio.stores.memory import MemoryStore

from bi_mcp.app.replicas.budget import COLLECTION, SLOTS, SharedBudget
from tests.server.http.stores import BrokenStore

pytestmark = pytest.mark.anyio


def first(slots: Sequence[str]) -> str:
    return slots[0]


async def test_one_replica_has_everything() -> None:
    budget = SharedBudget(MemoryStore())
    await budget.beat()
    await budget.beat()
    assert budget.share == 1.0


async def test_replicas_have_equal_shares_after_a_beat_of_each() -> None:
    store = MemoryStore()
    budgets = [SharedBudget(store) for _ in range(3)]
    for budget in budgets:
        await budget.beat()
    assert budgets[2].share == pytest.approx(1 / 3), "a new replica counts itself from its first beat"
    for budget in budgets:
        await budget.beat()
    assert [budget.share for budget in budgets] == pytest.approx([1 / 3] * 3)


async def test_who_leaves_gives_its_share_back() -> None:
    store = MemoryStore()
    stays, goes = SharedBudget(store), SharedBudget(store)
    await stays.beat()
    await goes.beat()
    await stays.beat()
    assert stays.share == 0.5
    await goes.leave()
    await stays.beat()
    assert stays.share == 1.0


async def test_who_dies_is_forgotten_after_its_slot_has_expired() -> None:
    store = MemoryStore()
    await SharedBudget(store, choose=first).beat()
    _, left = await store.ttl(SLOTS[0], collection=COLLECTION)
    assert left is not None
    assert 0 < left <= 15


class Blind(MemoryStore):
    """Shows nobody at the first look, as to two who look at the same moment."""

    looks = 0

    async def get_many(
        self, keys: Sequence[str], *, collection: str | None = None
    ) -> list[dict[str, Any] | None]:
        self.looks += 1
        found = await super().get_many(keys, collection=collection)
        return [None] * len(found) if self.looks == 2 else found


async def test_two_that_chose_the_same_slot_part_at_the_next_beat() -> None:
    store = Blind()
    one, other = SharedBudget(store, choose=first), SharedBudget(store, choose=first)
    await one.beat()
    await other.beat()
    assert await store.get(SLOTS[1], collection=COLLECTION) is None
    await one.beat()
    await other.beat()
    assert one.share == other.share == 0.5


async def test_more_replicas_than_slots_take_no_more_than_their_part() -> None:
    store = MemoryStore()
    budgets = [SharedBudget(store) for _ in range(len(SLOTS) + 1)]
    for budget in budgets:
        await budget.beat()
    assert budgets[-1].share == pytest.approx(1 / (len(SLOTS) + 1))


async def test_limiters_are_told_the_share_at_once_and_at_each_change() -> None:
    store = MemoryStore()
    told: list[float] = []
    budget = SharedBudget(store)
    budget.follow(told.append)
    await SharedBudget(store).beat()
    await budget.beat()
    await budget.beat()
    assert told == [1.0, 0.5]


async def test_while_the_store_is_away_the_share_stays(caplog: pytest.LogCaptureFixture) -> None:
    store = BrokenStore()
    store.broken = False
    budget = SharedBudget(store, sleep=lambda _: waits())
    await SharedBudget(store).beat()
    await budget.beat()
    store.broken = True

    async def waits() -> None:
        store.broken = False
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await budget.run()
    assert budget.share == 0.5
    assert "BI_MCP_SHARED_STORE" in caplog.text
    assert "hunter2" not in caplog.text
    kept = await store.get_many(list(SLOTS), collection=COLLECTION)
    assert len([entry for entry in kept if entry]) == 1, "who ends frees its slot"
