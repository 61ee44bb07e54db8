"""Time that passes only when everybody waits for it, and a portal that lives in it."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio.lowlevel
import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import Secret
from bi_mcp.config import Limits, LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.retry import RetryPolicy
from bi_mcp.rest.transport import HttpTransport
from tests.rest.calling import CHECK, LOOPBACK, TOKEN, Recorder, UrlCheck

# So often everybody else may go on before time passes; a call to a portal in process takes some dozen rounds.
ROUNDS = 300


async def settle() -> None:
    """Let everybody go on until they wait for time to pass, and let none pass."""
    for _ in range(ROUNDS // 2):
        await anyio.lowlevel.checkpoint()


@dataclass
class Time:
    """A clock and its `sleep`: of all that sleep, the one that is due first moves the clock when nobody else goes on."""

    now: float = 1_700_000_000.0
    slept: list[float] = field(default_factory=list)
    _due: list[tuple[float, int]] = field(default_factory=list)
    _number: Any = field(default_factory=count)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        due = (self.now + seconds, next(self._number))
        heapq.heappush(self._due, due)
        try:
            for _ in range(ROUNDS):
                await anyio.lowlevel.checkpoint()
            while self._due[0] != due:
                await anyio.lowlevel.checkpoint()
            self.now = max(self.now, due[0])
        finally:
            self._due.remove(due)
            heapq.heapify(self._due)


@dataclass
class Absent:
    """A portal behind a network that is down until a moment."""

    app: ASGIApp
    time: Time
    back_at: float = 0.0
    refused: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.time() < self.back_at:
            self.refused += 1
            raise httpx.ConnectError(f"refused {TOKEN}")
        await self.app(scope, receive, send)


@dataclass
class TimedPortal:
    """A portal with the limits of a standard plan, and a patient client of it."""

    bi: BIConnector
    transport: PatientTransport
    calls: Recorder
    faults: Any
    time: Time
    network: Absent


@asynccontextmanager
async def a_timed_portal(*, limits: Limits = "standard", **options: Any) -> AsyncIterator[TimedPortal]:
    """`options` are arguments of `PatientTransport`."""
    time = Time()
    settings = LocalPortalSettings(access_token=Secret(TOKEN), limits=limits)
    app = create_app(settings, clock=time, connectors={CHECK: UrlCheck()})
    app.state.faults.connection_lost = lambda: httpx.ReadError(f"cut {TOKEN}")
    calls = Recorder(app)
    network = Absent(calls, time)
    http = HttpTransport(LOOPBACK, AccessToken(Secret(TOKEN)), app=network)
    options = {"policy": RetryPolicy(random=lambda: 1.0), **options}
    transport = PatientTransport(http, clock=time, wall_clock=time, sleep=time.sleep, **options)
    async with BIConnector(transport) as bi:
        yield TimedPortal(bi, transport, calls, app.state.faults, time, network)
