"""What became of each step of an application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bi_mcp.workspace.steps import Step

Outcome = Literal["done", "refused", "skipped", "unknown", "not_done"]


@dataclass(frozen=True)
class Result:
    """One step. `id` is the object's, `why` says what stood in the way."""

    step: Step
    outcome: Outcome
    id: int | None = None
    why: str | None = None


@dataclass(frozen=True)
class Report:
    """All steps, in their order. `unknown` may have happened: the next application finds out."""

    results: Sequence[Result]
    notes: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return all(result.outcome == "done" for result in self.results)

    def of(self, outcome: Outcome) -> list[Result]:
        """The results of one kind."""
        return [result for result in self.results if result.outcome == outcome]

    def summary(self) -> str:
        """`12 done, 1 refused, 3 skipped.`"""
        kinds: tuple[Outcome, ...] = ("done", "refused", "skipped", "unknown", "not_done")
        counted = [f"{len(self.of(kind))} {kind.replace('_', ' ')}" for kind in kinds if self.of(kind)]
        if not counted:
            return "Nothing was to be done."
        again = "" if self.complete else " Apply again: it goes on where this ended, and doubles nothing."
        return f"{', '.join(counted)}.{again}"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        results = [
            {
                "step": str(result.step),
                "operation": result.step.operation,
                "group": result.step.group,
                "key": result.step.key,
                "id": result.id,
                "outcome": result.outcome,
                "why": result.why,
            }
            for result in self.results
        ]
        kept = [{name: value for name, value in item.items() if value is not None} for item in results]
        return {
            "complete": self.complete,
            "summary": self.summary(),
            "results": kept,
            "notes": list(self.notes),
        }
