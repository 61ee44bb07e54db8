"""A clock that moves only when everybody waits for it: minutes of waits are counted in moments, and the same every time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

import anyio
from anyio.lowlevel import checkpoint

# So many rounds of the event loop nobody may have gone on before time moves; a call of a portal in process takes some dozen.
_QUIET_ROUNDS = 150


@dataclass
class VirtualTime:
    """A clock, in unix seconds, and its `sleep`. `run` moves it, until it is cancelled."""

    now: float = 1_700_000_000.0
    _sleepers: list[tuple[float, int, anyio.Event]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved so far."""
        awake = anyio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._number), awake))
        await awake.wait()

    async def run(self) -> None:
        """Move the clock to the moment for which somebody waits next, again and again."""
        while True:
            for _ in range(_QUIET_ROUNDS):
                await checkpoint()
            if not self._sleepers:
                continue
            self.now = max(self.now, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self.now:
                heapq.heappop(self._sleepers)[2].set()
