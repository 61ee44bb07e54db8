"""The committed budget: how many calls and characters each scripted solution may take."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.tasks import TASKS

FILE = Path(__file__).with_name("budget.toml")
_HEAD = """\
# What the scripted solutions may take: calls, and characters of the tools' answers. `make evals UPDATE=--update` rewrites it.
# `surface` is what is read before the first call: the tools and the instructions, by the set of tools.
"""
# Addresses, ids and times have lengths of their own in each run.
_SLACK = 1.03
_ROUNDED_TO = 50


@dataclass(frozen=True)
class Cost:
    """What a solution takes."""

    calls: int
    characters: int


@dataclass(frozen=True)
class Budget:
    """The costs by task, and the size of the surface by the set of tools."""

    surface: Mapping[str, int]
    tasks: Mapping[str, Cost]

    def find_excess(self, surface: Mapping[str, int], tasks: Mapping[str, Cost]) -> Sequence[str]:
        """Say what is above the budget, or above the calls of a well-informed person."""
        faults = [
            f"The surface ({name}) has {size} characters; the budget is {self.surface.get(name, 0)}."
            for name, size in surface.items()
            if size > self.surface.get(name, 0)
        ]
        for name, cost in tasks.items():
            allowed = self.tasks.get(name, Cost(0, 0))
            if cost.calls > min(allowed.calls, TASKS[name].calls):
                faults.append(
                    f"{name} takes {cost.calls} calls; the budget is {allowed.calls}, of a person {TASKS[name].calls}."
                )
            if cost.characters > allowed.characters:
                faults.append(
                    f"{name} reads {cost.characters} characters; the budget is {allowed.characters}."
                )
        return faults


def load_budget(file: Path = FILE) -> Budget:
    """Read the committed budget."""
    document = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    tasks = {name: Cost(**cost) for name, cost in document.get("tasks", {}).items()}
    return Budget(document.get("surface", {}), tasks)


def make_budget(surface: Mapping[str, int], tasks: Mapping[str, Cost]) -> Budget:
    """Make the budget that these measures just keep."""
    roomy = {name: Cost(cost.calls, _round_up(cost.characters)) for name, cost in tasks.items()}
    return Budget({name: _round_up(size) for name, size in surface.items()}, roomy)


def save_budget(budget: Budget, file: Path = FILE) -> None:
    """Write it."""
    lines = [_HEAD, "[surface]", *(f"{name} = {size}" for name, size in sorted(budget.surface.items()))]
    for name, cost in budget.tasks.items():
        lines += ["", f"[tasks.{name}]", f"calls = {cost.calls}", f"characters = {cost.characters}"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _round_up(size: int) -> int:
    return -(-int(size * _SLACK) // _ROUNDED_TO) * _ROUNDED_TO
