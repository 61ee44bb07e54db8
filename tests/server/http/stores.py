"""Stores in memory that behave as a network does: every step takes a turn, and some go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import anyio.lowlevel
from key_value.aio.stores.memory import MemoryStore


async def turns(_: float) -> None:
    """Instead of a time: let everybody else go on for a while, longer than a step of a `TurnTakingStore`."""
    for _turn in range(10):
        await anyio.lowlevel.checkpoint()


class TurnTakingStore(MemoryStore):
    """Lets others in between, before each step."""

    async def get(self, key: str, *, collection: str | None = None) -> dict[str, Any] | None:
        await anyio.lowlevel.checkpoint()
        value: dict[str, Any] | None = await super().get(key, collection=collection)
        return value

    async def put(
        self,
        key: str,
        value: Mapping[str, Any],
        *,
        collection: str | None = None,
        ttl: SupportsFloat | None = None,
    ) -> None:
        await anyio.lowlevel.checkpoint()
        await super().put(key, value, collection=collection, ttl=ttl)


class BrokenStore(MemoryStore):
    """Fails while `broken`, with a text that nobody may see."""

    broken = True

    async def setup_collection(self, *, collection: str) -> None:
        if self.broken:
            raise ConnectionError("redis://:hunter2@store refused")
        await super().setup_collection(collection=collection)
