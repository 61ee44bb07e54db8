"""The gate: `python -m evals` plays the scripted solutions through inspect-ai and compares them with the budget."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inspect_ai import eval as evaluate
from inspect_ai.log import EvalLog, EvalSample

from evals.budget import Budget, Cost, load_budget, make_budget, save_budget
from evals.inspection.suite import SCRIPTED, bi_mcp
from evals.session import Transport
from evals.tasks import TASKS

# Two processors: a world keeps one busy, its server the other.
_AT_ONCE = 3
_LOGS = Path("build/evals-logs")
# What differs between the transports shows in any task; these call much and little.
_OVER_HTTP = "onboard_database,renamed_column"


@dataclass
class Played:
    """What a run came to."""

    costs: dict[str, Cost] = field(default_factory=dict)
    surfaces: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, log: EvalLog, surface: str, *, counted: bool) -> None:
        """Take up what a log says."""
        if log.status != "success":
            self.faults.append(f"The run ended with {log.status}: {log.error.message if log.error else ''}")
        for sample in log.samples or ():
            self._add_sample(sample, surface, counted=counted)

    def _add_sample(self, sample: EvalSample, surface: str, *, counted: bool) -> None:
        name = str(sample.id)
        if sample.error:
            self.faults.append(f"{name}: {sample.error.message}")
            return
        if told := sample.store["faults"]:
            self.faults.append(f"{name} is not solved: {' '.join(told)}")
        if counted:
            self.costs[name] = Cost(sample.store["calls"], sample.store["characters"])
        if not TASKS[name].settings:
            self.surfaces[surface] = max(self.surfaces.get(surface, 0), sample.store["surface"])


def main() -> int:
    """Play, compare, and say what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("--update", action="store_true", help="rewrite the budget by what was measured")
    parser.add_argument("--toolsets", default="", help="as BI_MCP_TOOLSETS; only says which tasks it can do")
    parser.add_argument("--names", default="", help="these tasks only, separated by commas")
    given = parser.parse_args()
    if given.toolsets:
        return _try_toolsets(given.toolsets, given.names)
    played = Played()
    played.add(_play(names=given.names), "default", counted=True)
    if not given.names:
        played.add(_play(names=_OVER_HTTP, transport="http"), "default", counted=False)
    if given.update and not played.faults:
        save_budget(make_budget(played.surfaces, played.costs))
    budget = load_budget()
    played.faults += budget.find_excess(played.surfaces, played.costs)
    _show(played.costs, budget)
    print(*played.faults or [f"All {len(played.costs)} tasks are solved within the budget."], sep="\n")
    return 1 if played.faults else 0


def _try_toolsets(toolsets: str, names: str) -> int:
    played = Played()
    played.add(_play(names=names, toolsets=toolsets), toolsets, counted=True)
    print(
        f"With {toolsets}: a surface of {played.surfaces.get(toolsets, 0)} characters.",
        *played.faults,
        sep="\n",
    )
    return 1 if played.faults else 0


def _play(*, names: str = "", transport: Transport = "stdio", toolsets: str = "") -> EvalLog:
    return evaluate(
        bi_mcp(transport, toolsets, names),
        model=SCRIPTED,
        display="none",
        log_dir=str(_LOGS),
        max_samples=_AT_ONCE,
        fail_on_error=False,
    )[0]


def _show(costs: Mapping[str, Cost], budget: Budget) -> None:
    for name, cost in costs.items():
        allowed = budget.tasks.get(name, Cost(0, 0))
        print(
            f"{name:24}{cost.calls:3} calls (a person: {TASKS[name].calls}){cost.characters:7} characters of {allowed.characters}"
        )
