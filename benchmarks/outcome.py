from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """One line of the report. `measured` and `goal` have the same `unit`, and less is better.

    `details` holds further numbers by name: milliseconds of a timing, characters of a size.
    """

    benchmark: str
    measured: float
    goal: float
    unit: str
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.measured <= self.goal

    def as_json(self) -> dict[str, Any]:
        """The numbers, ready for `json.dumps`."""
        return {
            "benchmark": self.benchmark,
            "measured": round(self.measured, 3),
            "goal": self.goal,
            "unit": self.unit,
            "met": self.met,
            "details": {name: round(number, 3) for name, number in self.details.items()},
        }


def spread(seconds: Sequence[float]) -> float:
    """Upper over lower quartile. Above 1.3 something else uses the machine: measure again when it is quiet."""
    lower, _, upper = quantiles(seconds, n=4)
    return upper / lower
