"""workspace_plan of 1,000 datasets: how long the server's event loop works on it, and the longest it works at one go."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import anyio
from mcp import Client, StdioServerParameters

from benchmarks.local_portal import LocalPortal, running_portal
from benchmarks.outcome import Outcome
from benchmarks.snapshot import CONNECTORS, DATASETS, SOURCES
from benchmarks.timed_server import FILE
from benchmarks.workspace import setup_of, values
from bi_mcp.base.secret import Secret
from bi_mcp.practice import sample
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.setup.file import write_setup
from bi_mcp.setup.state import State
from bi_mcp.setup.state_file import StateInMemory
from bi_mcp.setup.workspace import Workspace

GOAL_S = 1.0
GOAL_PIECE_S = 0.05


@dataclass(frozen=True)
class LoopTime:
    """Seconds of the event loop in all and in its longest turn, and of the whole call."""

    total: float
    longest: float
    call: float

    def total_outcome(self) -> Outcome:
        """Compare what others have to wait for in all."""
        return Outcome(
            benchmark=f"workspace_plan of {DATASETS:,} datasets, event loop",
            measured=self.total,
            goal=GOAL_S,
            unit="s",
            details={"the whole call, s": self.call},
        )

    def longest_outcome(self) -> Outcome:
        """Compare what others have to wait for at one go."""
        return Outcome(
            benchmark=f"workspace_plan of {DATASETS:,} datasets, longest turn of the event loop",
            measured=self.longest,
            goal=GOAL_PIECE_S,
            unit="s",
        )


@cache
def loop_time() -> LoopTime:
    """Measure once, for both lines of the report."""
    return anyio.run(measure_loop_time)


async def measure_loop_time() -> LoopTime:
    """Plan a file for an empty portal and for one that has all of it, and take the worse of both."""
    setup = setup_of(CONNECTORS, SOURCES, DATASETS)
    with TemporaryDirectory() as folder:
        await anyio.Path(folder, "bi.yaml").write_text(write_setup(setup), encoding="utf-8")
        async with running_portal() as portal:
            empty = await _plan(portal, folder)
            async with BIConnector(portal.address, AccessToken(Secret(portal.token))) as bi:
                workspace = Workspace(bi, StateInMemory(State(portal="local")), values())
                planned = await workspace.plan(setup)
                report = await workspace.apply(setup, planned.plan.checksum)
                assert report.complete, report.summary()
            full = await _plan(portal, folder)
    return LoopTime(*(max(pair) for pair in zip(empty, full, strict=True)))


async def _plan(portal: LocalPortal, folder: str) -> tuple[float, float, float]:
    """Let a server that has answered one call before plan the file of a folder."""
    turns = anyio.Path(folder, "turns.json")
    environment = {
        **portal.server_environment(),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "BI_MCP_WORKSPACE": folder,
        "BI_MCP_SECRET_SAMPLE": sample.DEMO_PASSWORD,
        FILE: str(turns),
    }
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "benchmarks.timed_server"], env=environment
    )
    async with Client(server) as client:
        await client.call_tool("connector_list", {})
        begun = monotonic()
        result = await client.call_tool("workspace_plan", {"file": "bi.yaml"})
        ended = monotonic()
        assert not result.is_error, result.content
    noted = json.loads(await turns.read_text(encoding="utf-8"))
    taken = [seconds for moment, seconds in noted if begun <= moment <= ended]
    return sum(taken), max(taken), ended - begun
