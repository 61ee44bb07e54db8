"""From the start of the process until `tools/list` is answered, against the bare server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from mcp import StdioServerParameters
from mcp.client.stdio import get_default_environment

from benchmarks.outcome import Outcome, spread
from benchmarks.servers import bare, ours

GOAL = 1.15
WARM_UP = 2
PAIRS = 31

# The protocol of 2026-07-28 needs no handshake: one line, one answer.
_ASK = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}


@dataclass(frozen=True)
class StartTimes:
    """Seconds of each start, in pairs: `ours[i]` and `bare[i]` were measured one after the other."""

    ours: Sequence[float]
    bare: Sequence[float]

    def outcome(self) -> Outcome:
        """Compare the medians. The minima are what the machine can do when nothing else runs."""
        return Outcome(
            benchmark="start until tools/list, ours / bare",
            measured=median(self.ours) / median(self.bare),
            goal=GOAL,
            unit="ratio",
            details={
                "ours, median ms": median(self.ours) * 1000,
                "bare, median ms": median(self.bare) * 1000,
                "ours, minimum ms": min(self.ours) * 1000,
                "bare, minimum ms": min(self.bare) * 1000,
                "ratio of minima": min(self.ours) / min(self.bare),
                "noise, bare": spread(self.bare),
            },
        )


def measure_start(pairs: int = PAIRS) -> StartTimes:
    """Start both servers in turn. Which comes first alternates, so that neither profits from what the other left warm."""
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    servers = {"ours": ours(), "bare": bare()}
    for pair in range(-WARM_UP, pairs):
        for name in sorted(servers, reverse=pair % 2 == 0):
            seconds = _time_start(servers[name])
            if pair >= 0:
                times[name].append(seconds)
    return StartTimes(ours=times["ours"], bare=times["bare"])


def _time_start(server: StdioServerParameters) -> float:
    environment = get_default_environment() | (server.env or {})
    started = perf_counter()
    with subprocess.Popen(  # noqa: S603  the command is ours
        [server.command, *server.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(_ASK).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()  # empty when the server ended without an answer
        seconds = perf_counter() - started
        process.stdin.close()
    assert answer, f"no answer from {server.args}"
    assert json.loads(answer)["result"]["tools"]
    return seconds
