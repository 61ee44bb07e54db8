"""The portal counts the requests of all replicas together, so each takes an equal share of what it allows.

Every replica keeps its name in a sorted set of Redis, with the time of its last beat by the clock of Redis. A new replica
counts itself from its first beat, the others learn of it one beat later: for that long they may take too much together,
which the portal answers with a refusal that the limiter learns from. Shares are equal because a load balancer spreads
calls evenly; what an idle replica does not use is lost for a while, never taken twice.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

import anyio

from bi_mcp.app.replicas.store import PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis.asyncio import Redis

REPLICAS = f"{PREFIX}replicas"
BEAT_S = 5.0
# A replica that missed two beats is gone.
LIFETIME_S = 15

logger = logging.getLogger(__name__)


class SharedBudget:
    """The `share` of this replica in the requests that the portal allows, between 0 and 1.

    While Redis is out of reach the last share stays.
    """

    def __init__(self, redis: Redis, *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep) -> None:
        self._redis = redis
        self._followers: list[Callable[[float], None]] = []
        self._sleep = sleep
        self._name = secrets.token_hex(8)
        self._share = 1.0

    @property
    def share(self) -> float:
        """The fraction of the portal's budget that this replica may use."""
        return self._share

    def follow(self, tell: Callable[[float], None]) -> None:
        """Give a limiter the share now and whenever it changes."""
        self._followers.append(tell)
        tell(self._share)

    async def beat(self) -> None:
        """Say that this replica lives, and count all that do."""
        now, _ = await self._redis.time()
        async with self._redis.pipeline() as pipe:
            pipe.zadd(REPLICAS, {self._name: now})
            pipe.zremrangebyscore(REPLICAS, "-inf", now - LIFETIME_S)
            pipe.zcard(REPLICAS)
            *_, replicas = await pipe.execute()
        self._set(1 / replicas)

    async def run(self) -> None:
        """Beat until cancelled, and leave."""
        try:
            while True:
                await self._try(self.beat)
                await self._sleep(BEAT_S)
        finally:
            with anyio.move_on_after(BEAT_S, shield=True):
                await self._try(self.leave)

    async def leave(self) -> None:
        """Give the share back, so that the others need not wait until it expires."""
        await self._redis.zrem(REPLICAS, self._name)

    def _set(self, share: float) -> None:
        if share == self._share:
            return
        self._share = share
        for tell in self._followers:
            tell(share)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except Exception as error:  # noqa: BLE001  a broken answer has its own errors, and none may end the server
            logger.warning(
                "The shared store (BI_MCP_SHARED_STORE) does not answer (%s); this replica keeps %.0f%% of the portal's limit.",
                type(error).__name__,
                self._share * 100,
            )
