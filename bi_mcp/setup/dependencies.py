"""Pure: the steps that must be made before another one, and the steps that complete an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bi_mcp.rest.kinds import Group
    from bi_mcp.setup.setup import Setup
    from bi_mcp.setup.steps import PlanStep


class Dependencies:
    """Dependencies among the steps of a plan. Steps are identified by their numbers."""

    def __init__(self, steps: Sequence[PlanStep], setup: Setup) -> None:
        self._steps = steps
        self._setup = setup
        self._of_object: dict[tuple[Group, str | None], list[int]] = {}
        for number, step in enumerate(steps):
            self._of_object.setdefault((step.group, step.key), []).append(number)

    def needs(self, number: int) -> list[int]:
        """The earlier steps without which this one must not be made: of the same object, and what makes its parent."""
        step = self._steps[number]
        if step.key is None:
            return []
        own = [other for other in self._of_object[step.group, step.key] if other < number]
        parent = self.parent(step)
        makers = [
            other
            for other in (self._of_object.get(parent, ()) if parent else ())
            if self._steps[other].operation == "add"
        ]
        return [*own, *makers]

    def completing(self, number: int) -> list[int]:
        """The other steps that make the same object as the file says."""
        step = self._steps[number]
        return [
            other
            for other in self._of_object[step.group, step.key]
            if other != number and self._steps[other].operation != "delete"
        ]

    def parent(self, step: PlanStep) -> tuple[Group, str] | None:
        """The parent of an object, by the file."""
        if step.operation not in {"add", "delete"}:
            return None
        return self._setup.parent(step.group, step.entry_key)
