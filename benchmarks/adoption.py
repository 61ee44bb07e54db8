"""A portal that nobody has a state of: whether its objects cost more each where there are more of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from benchmarks.outcome import Outcome
from benchmarks.snapshot import CONNECTORS, SOURCES
from benchmarks.workspace import setup_of
from bi_mcp.rest.models import Connector, Dataset, Source
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.setup.matching import add_pairs, match
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import State

FEW = 1_000
MANY = 10_000
GOAL = 1.1


@dataclass(frozen=True)
class AdoptionCost:
    """Instructions for each dataset that is found by its name and taken into the state: of few, and of many."""

    few: float
    many: float

    def outcome(self) -> Outcome:
        """Compare many with few: 1 is linear, 10 would be quadratic."""
        return Outcome(
            benchmark=f"adopting {MANY:,} datasets, instructions each / each of {FEW:,}",
            measured=self.many / self.few,
            goal=GOAL,
            unit="ratio",
            details={f"each of {FEW:,}": self.few, f"each of {MANY:,}": self.many},
        )


def measure_adoption() -> AdoptionCost:
    """Count what the interpreter does, which is the same on every machine and at every load."""
    return AdoptionCost(few=_each(FEW), many=_each(MANY))


def _each(datasets: int) -> float:
    setup = setup_of(CONNECTORS, SOURCES, datasets, columns=1)
    snapshot = _as_on_a_portal(setup)
    nothing = State(portal="portal.example")
    counter = _Counter()
    sys.settrace(counter.enter)
    try:
        state = add_pairs(match(setup, snapshot, nothing), nothing)
    finally:
        sys.settrace(None)
    assert len(state.known("dataset")) == datasets
    return counter.instructions / datasets


class _Counter:
    instructions = 0

    def enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._count

    def _count(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self.instructions += event == "opcode"
        return self._count


def _as_on_a_portal(setup: Setup) -> Snapshot:
    connectors = {key: id for id, key in enumerate(setup.connectors, 1)}
    sources = {key: id for id, key in enumerate(setup.sources, 1)}
    return Snapshot(
        {id: Connector(id=id, title=setup.connectors[key].title) for key, id in connectors.items()},
        {
            id: Source(
                id=id,
                title=setup.sources[key].title,
                connector_id=connectors[setup.sources[key].connector],
            )
            for key, id in sources.items()
        },
        {
            id: Dataset(id=id, name=key, source_id=sources[setup.datasets[key].source])
            for id, key in enumerate(setup.datasets, 1)
        },
    )
