"""connector_get through MCP, against its parts: the same POST by httpx alone and an echo of the bare server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from mcp import Client

from benchmarks.local_portal import LocalPortal, running_portal
from benchmarks.outcome import Outcome
from benchmarks.servers import bare, ours

GOAL = 1.3
WARM_UP = 50
ROUNDS = 600


@dataclass(frozen=True)
class CallTimes:
    """Seconds of each call; the three of one index were measured one after the other."""

    get: Sequence[float]
    post: Sequence[float]
    echo: Sequence[float]

    def outcome(self) -> Outcome:
        """Compare the medians."""
        parts = median(self.post) + median(self.echo)
        smallest_parts = min(self.post) + min(self.echo)
        return Outcome(
            benchmark="connector_get, MCP / (POST + echo)",
            measured=median(self.get) / parts,
            goal=GOAL,
            unit="ratio",
            details={
                "connector_get, median ms": median(self.get) * 1000,
                "POST by httpx, median ms": median(self.post) * 1000,
                "echo, median ms": median(self.echo) * 1000,
                "connector_get, minimum ms": min(self.get) * 1000,
                "POST + echo, minimum ms": smallest_parts * 1000,
                "ratio of minima": min(self.get) / smallest_parts,
            },
        )


async def measure_call(rounds: int = ROUNDS) -> CallTimes:
    """Call a portal in a process of its own, by three ways in turn."""
    async with (
        running_portal() as portal,
        httpx.AsyncClient(headers={"Accept": "application/json"}) as http,
        Client(ours(portal.server_environment())) as server,
        Client(bare()) as echoing,
    ):
        id = await portal.add_connector(http)
        calls: dict[str, Callable[[], Awaitable[None]]] = {
            "get": lambda: _call_tool(server, "connector_get", {"id": id}),
            "post": lambda: _post(http, portal, id),
            "echo": lambda: _call_tool(echoing, "echo", {"text": "connector_get"}),
        }
        for _ in range(WARM_UP):
            await _time_each(calls)
        times = [await _time_each(calls) for _ in range(rounds)]
    return CallTimes(**{name: [seconds[name] for seconds in times] for name in calls})


async def _time_each(calls: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    seconds = {}
    for name, call in calls.items():
        started = perf_counter()
        await call()
        seconds[name] = perf_counter() - started
    return seconds


async def _call_tool(client: Client, tool: str, arguments: dict[str, Any]) -> None:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error


async def _post(http: httpx.AsyncClient, portal: LocalPortal, id: int) -> None:
    assert (await portal.post(http, "biconnector.connector.get", id=id))["item"]
