"""Makes a plan true: step by step, written down before each request, so that a killed process doubles and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

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
from bi_mcp.language import say
from bi_mcp.progress import remark
from bi_mcp.rest.batch import MAX_COMMANDS
from bi_mcp.rest.recovery import may_have_happened
from bi_mcp.workspace.commands import Commands, Write
from bi_mcp.workspace.difference import digests, wire
from bi_mcp.workspace.matching import Pairs, live
from bi_mcp.workspace.pending import IDENTITY, Creation, Pending, find_created, read_pending
from bi_mcp.workspace.report import Outcome, Report, Result
from bi_mcp.workspace.sending import Sender
from bi_mcp.workspace.setup import GROUPS, Group, Setup
from bi_mcp.workspace.state import Known, StateDraft
from bi_mcp.workspace.steps import Step, steps_of

if TYPE_CHECKING:
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.setting_values import SettingValues
    from bi_mcp.workspace.plan import Plan
    from bi_mcp.workspace.state_file import StateKeeper

# How long a portal may still work on a request whose answer nobody heard.
SETTLED_AFTER_S = 60.0

# Creating a source or a dataset calls the connector, and a portal cuts a request off after 60 s.
LONGEST_REQUEST_S = 30.0
FIRST_BATCH = 10
SMALLEST_BATCH = 5

Progress = Callable[[int, int, str], Awaitable[None]]


@dataclass(frozen=True)
class Clock:
    """Unix time and sleeping, to be replaced in tests."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


async def resume(
    bi: BIConnector,
    keeper: StateKeeper,
    clock: Clock | None = None,
    *,
    settled_after: float = SETTLED_AFTER_S,
) -> None:
    """Find out what the request did that was in flight when the last application was cut off, and remember it.

    Waits until the portal cannot be at work on it any more. Raises `PlanError` where it cannot be told.
    """
    clock = clock or Clock()
    document = keeper.read_pending()
    if document is None:
        return
    pending = read_pending(document)
    state, missing = find_created(pending, await bi.snapshot(), keeper.read())
    wait = pending.started + settled_after - clock.now()
    if missing and wait > 0:
        seconds = min(wait, settled_after)
        await remark(f"Waiting {seconds:.0f} s until the portal is done with a write that broke off")
        await clock.sleep(seconds)
        state, _ = find_created(pending, await bi.snapshot(), keeper.read())
    keeper.write(state)
    keeper.write_pending(None)


@dataclass
class Application:
    """One run. `snapshot` is what the plan was made of; `tables`: the portal has the newer family."""

    bi: BIConnector
    setup: Setup
    plan: Plan
    pairs: Pairs
    snapshot: Snapshot
    keeper: StateKeeper
    values: SettingValues
    tables: bool
    clock: Clock = field(default_factory=Clock)
    progress: Progress | None = None
    _results: dict[int, Result] = field(default_factory=dict, init=False)
    _writes: dict[int, Write] = field(default_factory=dict, init=False)
    _stopped: bool = field(default=False, init=False)
    _batch: int = field(default=FIRST_BATCH, init=False)

    def __post_init__(self) -> None:
        self._commands = Commands(self.bi, self.setup, self.values, self.tables)
        self._sender = Sender(self.bi, self.setup, self._commands, self._id)
        self._steps = steps_of(self.plan, self.setup)
        self._of_object = _by_object(self._steps)
        self._draft = StateDraft(self.keeper.read())
        self._adopt()
        self._newest: dict[Group, int] = {
            group: max(live(self.snapshot, group), default=0) for group in GROUPS
        }

    async def run(self) -> Report:
        """Make all steps that can be made. What is refused stops what depends on it; a lost connection stops everything.

        Cancelled, it ends after the request that is under way.
        """
        self._keep()
        position = 0
        while position < len(self._steps) and not self._stopped:
            await checkpoint()
            chunk = self._next(position)
            # Cut off in between, nobody would know what the request did.
            with anyio.CancelScope(shield=True):
                await self._make(chunk)
            position = chunk[-1] + 1
            await self._tell(position)
        return self.report()

    def report(self) -> Report:
        """What is known so far."""
        results = [
            self._results.get(number) or Result(step, "not_done", step.id)
            for number, step in enumerate(self._steps)
        ]
        return Report(results)

    def _adopt(self) -> None:
        """What was matched by its name belongs to its key from now on; what needs no change is as it was applied."""
        changed = {(change.group, change.key) for change in self.plan.changes}
        for group in GROUPS:
            for key, item in self.pairs.of(group).items():
                known = self._draft.known(group).get(key)
                fields = known.fields if known and known.id == item.id else {}
                if (group, key) not in changed:
                    fields = digests(self.setup.entries(group)[key])
                self._draft.put(group, key, Known(item.id, fields))

    def _keep(self) -> None:
        self.keeper.write(self._draft.state())

    def _next(self, position: int) -> list[int]:
        """The steps that one request can make. A deletion waits until it is known that what it makes room for can be made."""
        chunk = list[int]()
        for number in range(position, len(self._steps)):
            if not self._commands.travels(self._write(number)):
                return chunk or [number]
            if self._steps[number].operation == "delete" and any(
                needed in chunk for needed in self._needs(number)
            ):
                return chunk
            chunk.append(number)
            if len(chunk) >= self._batch:
                break
        return chunk

    def _write(self, number: int) -> Write:
        """What a step sends, looked up once, at the earliest when its turn comes."""
        if number not in self._writes:
            self._writes[number] = self._commands.write(self._steps[number])
        return self._writes[number]

    async def _make(self, chunk: Sequence[int]) -> None:
        for number in chunk:
            self._skip(number)
        writes = {number: self._writes.pop(number) for number in chunk}
        ready = [number for number in chunk if number not in self._results]
        if not ready:
            return
        self._write_pending(ready)
        started = self.clock.now()
        outcomes = await self._sender.send([writes[number] for number in ready])
        self._pace(len(ready), self.clock.now() - started)
        for number, outcome in zip(ready, outcomes, strict=True):
            self._take(number, outcome)
        self._keep()
        if self._stopped:
            await self._look()
        else:
            self.keeper.write_pending(None)

    def _take(self, number: int, outcome: object) -> None:
        step = self._steps[number]
        if not isinstance(outcome, BiMcpError):
            self._done(number, outcome if isinstance(outcome, int) else step.id)
            return
        if self._skip(number):
            # It was sent in the same batch, and its reference led to nothing.
            return
        self._results[number] = Result(step, _outcome(outcome), step.id, str(outcome))
        self._stopped = self._stopped or _stops(outcome)

    def _skip(self, number: int) -> bool:
        """Whether a step cannot be made because one that it needs was not."""
        failed = [needed for needed in self._needs(number) if self._has_failed(needed)]
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
            self._draft.put(step.group, step.key, Known(known, fields))
            id = known
        self._results[number] = Result(step, "done", id)

    def _is_last(self, number: int) -> bool:
        """Whether the object is as the file says once this step is made."""
        step = self._steps[number]
        others = [
            other
            for other in self._of_object[step.group, step.key]
            if other != number and self._steps[other].operation != "delete"
        ]
        return all(other in self._results and self._results[other].outcome == "done" for other in others)

    def _needs(self, number: int) -> list[int]:
        """The earlier steps without which this one must not be made: of the same object, and what makes its parent."""
        step = self._steps[number]
        if step.key is None:
            return []
        own = [other for other in self._of_object[step.group, step.key] if other < number]
        parent = self._parent(step)
        makers = [
            other
            for other in (self._of_object.get(parent, ()) if parent else ())
            if self._steps[other].operation == "add"
        ]
        return [*own, *makers]

    def _has_failed(self, number: int) -> bool:
        return number in self._results and self._results[number].outcome != "done"

    def _parent(self, step: Step) -> tuple[Group, str] | None:
        """What an object belongs to, by the file."""
        key = step.key or ""
        if step.group == "connector" or step.operation not in {"add", "delete"}:
            return None
        if step.group == "source":
            return "connector", self.setup.sources[key].connector
        return "source", self.setup.datasets[key].source

    def _id(self, group: Group, key: str) -> int:
        return self._draft.known(group)[key].id

    def _write_pending(self, ready: Sequence[int]) -> None:
        creations = list(self._creations(ready))
        if creations:
            pending = Pending(self.clock.now(), dict(self._newest), creations)
            self.keeper.write_pending(pending.as_json())

    def _creations(self, ready: Sequence[int]) -> Iterator[Creation]:
        for number in ready:
            step = self._steps[number]
            if step.operation != "add" or step.key is None:
                continue
            shown = wire(self.setup.entries(step.group)[step.key]) | {"name": step.label}
            identity = tuple(str(shown[name]) for name in IDENTITY[step.group])
            parent = self._parent(step)
            yield Creation(
                step.group,
                step.key,
                identity,
                parent[1] if parent else None,
                step.replaces,
            )

    async def _look(self) -> None:
        """The connection broke. What can be seen to be there was made; the rest is for the next application to find out."""
        document = self.keeper.read_pending()
        if document is None:
            return
        try:
            state, missing = find_created(
                read_pending(document), await self.bi.snapshot(), self._draft.state()
            )
        except BiMcpError:
            return
        self._draft = StateDraft(state)
        self._keep()
        left = {(creation.group, creation.key) for creation in missing}
        for number, result in list(self._results.items()):
            step = result.step
            if result.outcome == "unknown" and step.operation == "add" and (step.group, step.key) not in left:
                self._results[number] = Result(step, "done", self._id(step.group, step.key or ""))
        if not missing:
            self.keeper.write_pending(None)

    def _pace(self, sent: int, seconds: float) -> None:
        """As many in the next request as end well within the portal's limit."""
        each = seconds / sent
        fitting = int(LONGEST_REQUEST_S / each) if each > 0 else MAX_COMMANDS
        self._batch = max(SMALLEST_BATCH, min(MAX_COMMANDS, fitting))

    async def _tell(self, made: int) -> None:
        if self.progress is not None:
            await self.progress(made, len(self._steps), f"{made} of {len(self._steps)} steps")


def _outcome(error: BiMcpError) -> Outcome:
    if isinstance(error, SkippedError):
        return "skipped"
    if isinstance(error, InterruptedWriteError) or may_have_happened(error):
        return "unknown"
    return "not_done" if _stops(error) else "refused"


def _stops(error: BiMcpError) -> bool:
    """Whether what comes next would fare no better, or cannot be known."""
    lost = UnreachableError | UnexpectedAnswerError | InterruptedWriteError
    denied = AuthenticationError | AuthorisationError | LimitError
    return isinstance(error, lost | denied) or may_have_happened(error)


def _by_object(steps: Sequence[Step]) -> dict[tuple[Group, str | None], list[int]]:
    found: dict[tuple[Group, str | None], list[int]] = {}
    for number, step in enumerate(steps):
        found.setdefault((step.group, step.key), []).append(number)
    return found
