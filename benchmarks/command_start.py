"""`bi-mcp plan` of a small setup, against the same command in a process that has loaded the server's modules first.

Commands once loaded all that speaks MCP; the ratio shows how much of their time that took, and would show it again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.outcome import Outcome, spread

GOAL = 0.45
WARM_UP = 1
PAIRS = 11

_ALONE = "from bi_mcp.cli import main; main()"
_WITH_SERVER = f"import bi_mcp.server.build; {_ALONE}"


def measure_command_start(pairs: int = PAIRS) -> Outcome:
    """Run both in turn. Which comes first alternates, so that neither profits from what the other left warm."""
    times: dict[str, list[float]] = {_ALONE: [], _WITH_SERVER: []}
    with TemporaryDirectory() as folder:
        Path(folder, "bi.yaml").write_text("version: 1\n", encoding="utf-8")
        for pair in range(-WARM_UP, pairs):
            for program in sorted(times, reverse=pair % 2 == 0):
                seconds = _time_plan(program, folder)
                if pair >= 0:
                    times[program].append(seconds)
    alone, with_server = times[_ALONE], times[_WITH_SERVER]
    return Outcome(
        benchmark="bi-mcp plan, alone / with the server's modules",
        measured=median(alone) / median(with_server),
        goal=GOAL,
        unit="ratio",
        details={
            "alone, median ms": median(alone) * 1000,
            "with the server's modules, median ms": median(with_server) * 1000,
            "ratio of minima": min(alone) / min(with_server),
            "noise, alone": spread(alone),
        },
    )


def _time_plan(program: str, folder: str) -> float:
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "BI_MCP_PORTAL_DB": ":memory:",
        "BI_MCP_CONFIG_DIR": folder,
    }
    started = perf_counter()
    ran = subprocess.run(  # noqa: S603  the command is ours
        [sys.executable, "-c", program, "plan"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = perf_counter() - started
    assert ran.returncode == 0, ran.stderr
    return seconds
