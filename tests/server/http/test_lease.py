"""A lock in a store that can only put and get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import anyio
import anyio.lowlevel
import pytest
from key_value.aio.stores.memory import MemoryStore

from bi_mcp.app.replicas.lease import COLLECTION, SETTLE_S, Lease, LeaseTimeoutError
from bi_mcp.server.http.request_state import load_or_make_key
from tests.server.http.stores import TurnTakingStore, turns

pytestmark = pytest.mark.anyio

LIMIT_S = 60


class Clock:
    """Moves on only when somebody sleeps or a store takes its time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await anyio.lowlevel.checkpoint()


async def test_only_one_of_many_is_inside() -> None:
    store = TurnTakingStore()
    inside: list[int] = []
    most = 0

    async def enter(number: int) -> None:
        nonlocal most
        async with Lease(store, "token", sleep=turns):
            inside.append(number)
            most = max(most, len(inside))
            await turns(0)
            inside.remove(number)

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(enter, number)
    assert most == 1
    assert await store.get("token", collection=COLLECTION) is None


async def test_another_name_is_another_lock() -> None:
    store = MemoryStore()
    async with Lease(store, "one", sleep=turns), Lease(store, "other", sleep=turns):
        assert await store.get("one", collection=COLLECTION) is not None


async def test_whoever_waits_too_long_is_told() -> None:
    store, clock = MemoryStore(), Clock()
    async with Lease(store, "token", sleep=turns):
        with pytest.raises(LeaseTimeoutError):
            await Lease(store, "token", sleep=clock.sleep, clock=clock).acquire()
        assert await store.get("token", collection=COLLECTION) is not None


async def test_a_lease_expires_with_its_holder() -> None:
    store = MemoryStore()
    await Lease(store, "token", sleep=turns).acquire()
    _, left = await store.ttl("token", collection=COLLECTION)
    assert left is not None
    assert 0 < left <= 60


async def test_a_cancelled_wait_leaves_nothing() -> None:
    store = MemoryStore()

    async def never(_: float) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await Lease(store, "token", sleep=never).acquire()
    assert scope.cancelled_caught
    assert await store.get("token", collection=COLLECTION) is None


async def test_a_write_that_takes_too_long_does_not_count() -> None:
    clock, writes = Clock(), 0

    class SlowAtFirst(MemoryStore):
        async def put(
            self,
            key: str,
            value: Mapping[str, Any],
            *,
            collection: str | None = None,
            ttl: SupportsFloat | None = None,
        ) -> None:
            nonlocal writes
            writes += 1
            if writes == 1:
                clock.now += SETTLE_S
            await super().put(key, value, collection=collection, ttl=ttl)

    await Lease(SlowAtFirst(), "token", sleep=clock.sleep, clock=clock).acquire()
    assert writes == 2


async def test_replicas_that_start_together_seal_with_one_key() -> None:
    store = TurnTakingStore()
    keys: list[str] = []

    async def start() -> None:
        keys.append(await load_or_make_key(store, Lease(store, "request_state", sleep=turns)))

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(start)
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert len(keys[0]) == 64
