"""Steps of an application by requests: which ones the next request makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.rest.batch import MAX_COMMANDS

if TYPE_CHECKING:
    from bi_mcp.setup.commands import SetupCommands, SetupWrite
    from bi_mcp.setup.dependencies import Dependencies
    from bi_mcp.setup.step_guard import StepGuard
    from bi_mcp.setup.steps import PlanStep

# Creating a source or a dataset calls the connector, and a portal cuts a request off after 60 s.
LONGEST_REQUEST_S = 30.0
FIRST_BATCH = 10
SMALLEST_BATCH = 5


@dataclass
class Chunks:
    """Steps by their numbers, in their order."""

    steps: Sequence[PlanStep]
    dependencies: Dependencies
    commands: SetupCommands
    guard: StepGuard
    _writes: dict[int, SetupWrite] = field(default_factory=dict, init=False)
    _batch: int = field(default=FIRST_BATCH, init=False)

    def next(self, position: int) -> list[int]:
        """The steps that one request can make. May wait for a keyring, and raises what a wrong reference to a secret raises."""
        chunk = list[int]()
        for number in range(position, len(self.steps)):
            if not self.commands.travels(self._write(number)):
                return chunk or [number]
            # A deletion waits until it is known that what it makes room for can be made, and all for a second look at what they need.
            needed = [other for other in self.dependencies.needs(number) if other in chunk]
            deletes = self.steps[number].operation == "delete"
            if any(deletes or self.guard.watches(self._write(other)) for other in needed):
                return chunk
            chunk.append(number)
            if len(chunk) >= self._batch:
                break
        return chunk

    def take(self, numbers: Sequence[int]) -> dict[int, SetupWrite]:
        """Take the writes of these steps. A write is looked up again when it is taken once more."""
        return {number: self._writes.pop(number) for number in numbers}

    def pace(self, sent: int, seconds: float) -> None:
        """Set the size of the next batch so that it ends well within the portal's limit."""
        each = seconds / sent
        fitting = int(LONGEST_REQUEST_S / each) if each > 0 else MAX_COMMANDS
        self._batch = max(SMALLEST_BATCH, min(MAX_COMMANDS, fitting))

    def _write(self, number: int) -> SetupWrite:
        """The write of a step, looked up once, at the earliest when its turn comes."""
        if number not in self._writes:
            self._writes[number] = self.commands.write(self.steps[number])
        return self._writes[number]
