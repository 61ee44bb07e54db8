"""The outcome of each step of an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bi_mcp.base.language import say, text
from bi_mcp.errors import (
    AuthenticationError,
    AuthorisationError,
    BiMcpError,
    InterruptedWriteError,
    LimitError,
    SkippedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.rest.recovery import may_have_happened
from bi_mcp.setup.steps import PlanStep

Outcome = Literal["done", "refused", "skipped", "unknown", "not_done"]
COUNTED: Mapping[Outcome, str] = {
    "done": text("{count} done"),
    "refused": text("{count} refused"),
    "skipped": text("{count} skipped"),
    "unknown": text("{count} unknown"),
    "not_done": text("{count} not done"),
}
AGAIN = text("Apply again: it continues where this ended and creates nothing twice.")


@dataclass(frozen=True)
class Result:
    """One step. `id` is the object's, `why` says what stood in the way."""

    step: PlanStep
    outcome: Outcome
    id: int | None = None
    why: str | None = None


@dataclass(frozen=True)
class Report:
    """All steps, in their order. `unknown` may have happened: the next application finds out. `checks` were made before and after."""

    results: Sequence[Result]
    notes: Sequence[str] = ()
    checks: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        """True if everything was done."""
        return all(result.outcome == "done" for result in self.results)

    def of(self, outcome: Outcome) -> list[Result]:
        """The results of one kind."""
        return [result for result in self.results if result.outcome == outcome]

    def summary(self) -> str:
        """`12 done, 1 refused, 3 skipped.`"""
        kinds: tuple[Outcome, ...] = ("done", "refused", "skipped", "unknown", "not_done")
        counted = [say(COUNTED[kind], count=len(self.of(kind))) for kind in kinds if self.of(kind)]
        if not counted:
            return say("There was nothing to do.")
        done = f"{', '.join(counted)}."
        return done if self.complete else f"{done} {say(AGAIN)}"

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
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
            "checks": list(self.checks),
        }


def outcome_of(error: BiMcpError) -> Outcome:
    """The outcome of a step that ended with this error."""
    if isinstance(error, SkippedError):
        return "skipped"
    if isinstance(error, InterruptedWriteError) or may_have_happened(error):
        return "unknown"
    return "not_done" if stops_all(error) else "refused"


def stops_all(error: BiMcpError) -> bool:
    """Return whether the following steps would fail as well, or their outcome could not be known."""
    lost = UnreachableError | UnexpectedAnswerError | InterruptedWriteError
    denied = AuthenticationError | AuthorisationError | LimitError
    return isinstance(error, lost | denied) or may_have_happened(error)
