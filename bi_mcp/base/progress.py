"""Progress of a long call: the working code calls `report`, and a listener, if there is one, decides what happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# (done, total or None, text). `done` grows with each call.
Listener = Callable[[float, float | None, str], Awaitable[None]]


class _Meter:
    """Turns reports into values that only grow, as MCP demands: a remark between two steps moves a fraction."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._step = 0.0
        self._total: float | None = None
        self._remarks = 0
        self._told = -1.0

    async def step(self, done: float, total: float | None, text: str) -> None:
        if done >= self._step:
            self._total = total
        if done <= self._told:
            await self.remark(text)
            return
        self._step, self._remarks = done, 0
        await self._tell(done, text)

    async def remark(self, text: str) -> None:
        self._remarks += 1
        await self._tell(self._step + self._remarks / (self._remarks + 1), text)

    async def _tell(self, done: float, text: str) -> None:
        self._told = done
        within = self._total is None or done <= self._total
        await self._listener(done, self._total if within else None, text)


_meter: ContextVar[_Meter | None] = ContextVar("progress", default=None)


@contextmanager
def reporting_to(listener: Listener) -> Iterator[None]:
    """Send reports from within it to `listener`."""
    token = _meter.set(_Meter(listener))
    try:
        yield
    finally:
        _meter.reset(token)


@contextmanager
def as_one_step() -> Iterator[None]:
    """Turn steps within it into remarks: for work that is itself one step of something larger."""
    whole = _meter.get()
    if whole is None:
        yield
        return
    with reporting_to(lambda _done, _total, text: whole.remark(text)):
        yield


async def report(done: float, total: float | None, text: str) -> None:
    """Report before each step how many steps of how many are done, from 0 on, and the next step in a few words."""
    meter = _meter.get()
    if meter is not None:
        await meter.step(done, total, text)


async def remark(text: str) -> None:
    """Report something that is not a step, for example that a call waits."""
    meter = _meter.get()
    if meter is not None:
        await meter.remark(text)
