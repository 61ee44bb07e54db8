"""Documents in memory, which expire by a clock that a test sets."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from bi_mcp.app.sign_in.documents import Document


class MemoryDocuments:
    """One store for all who hold it, as replicas do. Documents pass through JSON, as in the real ones."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def get(self, name: str) -> Document | None:
        text, until = self._kept.get(name, ("", 0.0))
        return json.loads(text) if self._clock() < until else None

    async def put(self, name: str, document: Document, *, lifetime_s: float | None = None) -> None:
        until = float("inf") if lifetime_s is None else self._clock() + lifetime_s
        self._kept[name] = json.dumps(document), until

    async def add(self, name: str, document: Document, *, lifetime_s: float | None = None) -> bool:
        if await self.get(name) is not None:
            return False
        await self.put(name, document, lifetime_s=lifetime_s)
        return True

    async def take(self, name: str) -> Document | None:
        document = await self.get(name)
        self._kept.pop(name, None)
        return document

    async def delete(self, name: str) -> None:
        self._kept.pop(name, None)

    async def names(self, prefix: str) -> list[str]:
        return [name for name in self._kept if name.startswith(prefix) and await self.get(name) is not None]

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        async with self._locks[name]:
            yield
