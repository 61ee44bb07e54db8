"""Makes a plan true: step by step, written down before each request, so that a killed process doubles and loses nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint

from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, NotFoundError
from bi_mcp.history.guarded_writes import GuardedWrites
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.setup.chunks import Chunks
from bi_mcp.setup.commands import SetupCommands, SetupWrite
from bi_mcp.setup.dependencies import Dependencies
from bi_mcp.setup.difference import digests, wire
from bi_mcp.setup.matching import Pairs
from bi_mcp.setup.pending import Creation, Pending, find_created
from bi_mcp.setup.report import Report, Result, outcome_of, stops_all
from bi_mcp.setup.resumption import Clock
from bi_mcp.setup.sending import Sender
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state import Known, StateDraft
from bi_mcp.setup.step_guard import StepGuard
from bi_mcp.setup.steps import PlanStep, steps_of

if TYPE_CHECKING:
    from bi_mcp.history.entries import History
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.state_file import StateKeeper
    from bi_mcp.vault.setting_values import SettingValues

Progress = Callable[[int, int, str], Awaitable[None]]


@dataclass
class PlanApplication:
    """One run. `snapshot` is what the plan was made of.

    What sends a stored secret, or moves a connector, is looked at again and taken back where the secret may not be.
    """

    bi: BIConnector
    setup: Setup
    plan: Plan
    pairs: Pairs
    snapshot: Snapshot
    keeper: StateKeeper
    values: SettingValues
    generation: PortalGeneration
    clock: Clock = field(default_factory=Clock)
    progress: Progress | None = None
    history: History | None = None
    checks: Sequence[str] = ()
    _results: dict[int, Result] = field(default_factory=dict, init=False)
    _stopped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        commands = SetupCommands(self.bi, self.setup, self.values, self.generation)
        self._sender = Sender(self.bi, self.setup, commands, self._id)
        self._steps = steps_of(self.plan, self.setup)
        self._dependencies = Dependencies(self._steps, self.setup)
        guarded = GuardedWrites(self.bi, self.values.named, self.history)
        self._guard = StepGuard(guarded, self.setup, self.snapshot, self._id)
        self._chunks = Chunks(self._steps, self._dependencies, commands, self._guard)
        self._draft = StateDraft(self.keeper.read())
        self._adopt()
        self._newest: dict[Group, int] = {group: max(self.snapshot.of(group), default=0) for group in KINDS}

    async def run(self) -> Report:
        """Make all steps that can be made. A refused step stops the steps that depend on it; a lost connection stops
        everything.

        Cancelled, it ends after the request that is under way.
        """
        self._keep()
        position = 0
        while position < len(self._steps) and not self._stopped:
            await checkpoint()
            # A keyring may wait for its person.
            chunk = await to_thread.run_sync(self._chunks.next, position)
            # Cut off in between, we would not know whether the request was carried out.
            with anyio.CancelScope(shield=True):
                await self._make(chunk)
            position = chunk[-1] + 1
            if self.progress is not None:
                await self.progress(position, len(self._steps), f"{position} of {len(self._steps)} steps")
        return self.report()

    def report(self) -> Report:
        """The results so far."""
        results = [
            self._results.get(number) or Result(step, "not_done", step.id)
            for number, step in enumerate(self._steps)
        ]
        return Report(results, checks=self.checks)

    def _adopt(self) -> None:
        """Assign objects that were matched by name to their keys. Objects that need no change count as applied."""
        changed = {(change.group, change.key) for change in self.plan.changes}
        for group in KINDS:
            for key, item in self.pairs.of(group).items():
                known = self._draft.known(group).get(key)
                fields = known.fields if known and known.id == item.id else {}
                if (group, key) not in changed:
                    fields = digests(self.setup.entries(group)[key])
                self._draft.put(group, key, Known(id=item.id, fields=fields))

    def _keep(self) -> None:
        self.keeper.write(self._draft.state())

    async def _make(self, chunk: Sequence[int]) -> None:
        for number in chunk:
            self._skip(number)
        writes = self._chunks.take(chunk)
        ready = [number for number in chunk if number not in self._results]
        if not ready:
            return
        if creations := list(self._creations(ready)):
            pending = Pending(started=self.clock.now(), newest=dict(self._newest), creations=creations)
            self.keeper.write_pending(pending)
        started = self.clock.now()
        outcomes = await self._sender.send([writes[number] for number in ready])
        self._chunks.pace(len(ready), self.clock.now() - started)
        for number, outcome in zip(ready, outcomes, strict=True):
            self._take(number, outcome)
        self._keep()
        if self._stopped:
            await self._look()
        else:
            self.keeper.write_pending(None)
        await self._look_again({number: writes[number] for number in ready})

    async def _look_again(self, writes: Mapping[int, SetupWrite]) -> None:
        """Look again after the writes: somebody may have moved a connector meanwhile without holding our lock."""
        made = {
            number: (write, self._results[number].id or 0)
            for number, write in writes.items()
            if self._results[number].outcome == "done" and self._guard.watches(write)
        }
        if not made:
            return
        errors = await self._guard.look_again(made, connected=not self._stopped)
        for number, error in errors.items():
            self._results[number] = Result(self._steps[number], "refused", made[number][1], str(error))
            self._forget(self._steps[number], made[number][1])
        self._keep()

    def _forget(self, step: PlanStep, id: int) -> None:
        """Remove the record of a step that was taken back, since its object is not as the file says. The object that it was to replace stays."""
        key = step.entry_key
        if step.operation == "update":
            self._draft.put(step.group, key, Known(id=id))
            return
        self._draft.remove(step.group, id)
        if step.replaces is not None:
            self._draft.remove(step.group, step.replaces)
            self._draft.put(step.group, key, Known(id=step.replaces))

    def _take(self, number: int, outcome: object) -> None:
        step = self._steps[number]
        # Somebody else deleted it since the plan was made: the steps that wait for the deletion can go on all the same.
        gone = step.operation == "delete" and isinstance(outcome, NotFoundError)
        if gone or not isinstance(outcome, BiMcpError):
            self._done(number, outcome if isinstance(outcome, int) else step.id)
            return
        if self._skip(number):
            # It was sent in the same batch, and its reference led to nothing.
            return
        self._results[number] = Result(step, outcome_of(outcome), step.id, _why(step, outcome))
        self._stopped = self._stopped or stops_all(outcome)

    def _skip(self, number: int) -> bool:
        """Skip a step if one that it needs was not made. Returns true if it is skipped."""
        failed = [
            needed
            for needed in self._dependencies.needs(number)
            if needed in self._results and self._results[needed].outcome != "done"
        ]
        if failed:
            why = say("because this was not done: {step}", step=self._steps[failed[0]])
            self._results[number] = Result(self._steps[number], "skipped", self._steps[number].id, why)
        return bool(failed)

    def _done(self, number: int, id: int | None) -> None:
        step = self._steps[number]
        if step.operation == "add" and id is not None:
            if step.group == "source" and step.replaces is not None:
                self._draft.leave("source", step.replaces)
            self._newest[step.group] = max(self._newest[step.group], id)
        if step.operation == "delete" and id is not None:
            self._draft.remove(step.group, id)
        elif step.key is not None:
            known = id or self._id(step.group, step.key)
            fields = digests(self.setup.entries(step.group)[step.key]) if self._is_last(number) else {}
            self._draft.put(step.group, step.key, Known(id=known, fields=fields))
            id = known
        self._results[number] = Result(step, "done", id)

    def _is_last(self, number: int) -> bool:
        """Return whether the object is as the file says once this step is made."""
        others = self._dependencies.completing(number)
        return all(other in self._results and self._results[other].outcome == "done" for other in others)

    def _id(self, group: Group, key: str) -> int:
        return self._draft.known(group)[key].id

    def _creations(self, ready: Sequence[int]) -> Iterator[Creation]:
        for number in ready:
            step = self._steps[number]
            if step.operation != "add" or step.key is None:
                continue
            entry = self.setup.entries(step.group)[step.key]
            fields = wire(entry) | {"name": step.label}
            identity = tuple(str(fields[name]) for name in KINDS[step.group].own_identity)
            yield Creation(step.group, step.key, identity, entry.parent_key, step.replaces)

    async def _look(self) -> None:
        """The connection broke. What can be seen to be there was made; the rest is for the next application to find out."""
        pending = self.keeper.read_pending()
        if pending is None:
            return
        try:
            state, missing = find_created(pending, await self.bi.snapshot(), self._draft.state())
        except BiMcpError:
            return
        self._draft = StateDraft(state)
        self._keep()
        left = {(creation.group, creation.key) for creation in missing}
        for number, result in list(self._results.items()):
            step = result.step
            if result.outcome == "unknown" and step.operation == "add" and (step.group, step.key) not in left:
                self._results[number] = Result(step, "done", self._id(step.group, step.entry_key))
        if not missing:
            self.keeper.write_pending(None)


def _why(step: PlanStep, error: BiMcpError) -> str:
    if step.operation == "add" or not isinstance(error, NotFoundError):
        return str(error)
    return say("It was there when this plan was made, and someone has deleted it since. {error}", error=error)
