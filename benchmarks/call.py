"""connector_get through MCP, against its parts: the same POST by httpx alone and an echo of the bare server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, permutations
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from mcp import Client

from benchmarks.local_portal import LocalPortal, running_portal
from benchmarks.outcome import Outcome, spread
from benchmarks.servers import bare, ours

GOAL = 1.3
WARM_UP = 50
ROUNDS = 600

Call = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class CallTimes:
    """Seconds of each call; the three of one index belong to one round."""

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
                # The parts had their best cases apart, the whole must have both at once: this one leans upwards.
                "ratio of minima": min(self.get) / smallest_parts,
                "noise, echo": spread(self.echo),
            },
        )


async def measure_call(rounds: int = ROUNDS) -> CallTimes:
    """Call a portal in a process of its own, by three ways in turn."""
    async with (
        running_portal() as portal,
        # A proxy of this process' environment would stand in one of the two ways only.
        httpx.AsyncClient(headers={"Accept": "application/json"}, trust_env=False) as http,
        Client(ours(portal.server_environment())) as server,
        Client(bare()) as echoing,
    ):
        id = await portal.add_connector(http)
        calls: dict[str, Call] = {
            "get": lambda: _call_tool(server, "connector_get", {"id": id}),
            "post": lambda: _post(http, portal, id),
            "echo": lambda: _call_tool(echoing, "echo", {"text": "connector_get"}),
        }
        times = await _time_in_turn(calls, rounds)
    return CallTimes(get=times["get"], post=times["post"], echo=times["echo"])


async def _time_in_turn(calls: Mapping[str, Call], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call. Rounds take every order in turn, so that nobody always profits from the one before."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for order in islice(cycle(permutations(calls)), WARM_UP + rounds):
        for name in order:
            started = perf_counter()
            await calls[name]()
            times[name].append(perf_counter() - started)
    return {name: seconds[WARM_UP:] for name, seconds in times.items()}


async def _call_tool(client: Client, tool: str, arguments: dict[str, Any]) -> None:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error


async def _post(http: httpx.AsyncClient, portal: LocalPortal, id: int) -> None:
    assert (await portal.post(http, "biconnector.connector.get", id=id))["item"]
