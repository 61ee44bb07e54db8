"""Writes down every write before it is sent, with the state before it, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import anyio
from anyio import to_thread
from pydantic import ValidationError

from bi_mcp.auth.caller import current_caller
from bi_mcp.base.language import say
from bi_mcp.errors import (
    BiMcpError,
    ConfigError,
    NotSynchronisedError,
    PortalError,
    UnexpectedAnswerError,
    UnreachableError,
)
from bi_mcp.history.actor import current_actor
from bi_mcp.history.entries import Ending, Entry, RecordedWrite, Stamp
from bi_mcp.rest.batch import BatchReference, fail_batch
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.methods import Effect, method
from bi_mcp.rest.query import Query
from bi_mcp.rest.recovery import may_have_happened
from bi_mcp.rest.request import Command

if TYPE_CHECKING:
    from bi_mcp.history.audit import Audit
    from bi_mcp.history.entries import History, Wire
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.request import Request, Transport

# As long as OpenID Connect lets a subject be.
LONGEST_CALLER = 255

_NOT_SENT = "NOT_SENT"
_WITHOUT_CODE = "NO_CODE"


@dataclass
class Recorder:
    """Keeps entries in a history, in an audit file, or in both. `user` is the portal's user where that is known."""

    stamp: Stamp
    history: History | None = None
    audit: Audit | None = None
    user: Callable[[], int | None] = field(default=lambda: None)

    async def begin(self, writes: Sequence[RecordedWrite]) -> list[Entry]:
        """Write down the writes before they are sent. Raises `ConfigError` where that fails: a write that cannot be recorded is not sent."""
        entries = [self.stamp.entry(write) for write in writes]
        await to_thread.run_sync(self._begin, entries)
        return entries

    async def end(self, entries: Sequence[Entry], endings: Sequence[Ending]) -> None:
        """Write down the end of a write. It has happened, so a failure is only logged."""
        try:
            await to_thread.run_sync(self._end, entries, endings)
        except (OSError, ConfigError) as error:
            logging.getLogger(__name__).warning("How a write ended was not recorded: %s", error)

    def _begin(self, entries: Sequence[Entry]) -> None:
        if self.history is not None:
            _keep(partial(self.history.begin, entries), self.history.journal.path, "BI_MCP_HISTORY")
        if self.audit is None:
            return
        try:
            _keep(partial(self.audit.write, entries), self.audit.journal.path, "BI_MCP_AUDIT_FILE")
        except ConfigError:
            if self.history is not None:
                self.history.end({entry.id: Ending("refused", _NOT_SENT) for entry in entries})
            raise

    def _end(self, entries: Sequence[Entry], endings: Sequence[Ending]) -> None:
        by_id = {entry.id: ending for entry, ending in zip(entries, endings, strict=True)}
        if self.history is not None:
            self.history.end(by_id)
        if self.audit is not None:
            self.audit.write(entries, by_id)


def _keep(append: Callable[[], None], path: object, variable: str) -> None:
    try:
        append()
    except OSError as error:
        raise ConfigError(
            say(
                "Nothing was sent: the change cannot be recorded in {path} ({strerror}). Make room or make it writable, or set {variable}=off to go without.",
                path=path,
                strerror=error.strerror,
                variable=variable,
            )
        ) from None


class RecordingTransport:
    """A transport over another: every write is recorded before it is sent to the portal.

    It adds one read before an update or a deletion, and none before a creation; the writes of a batch are read
    together. It changes neither answers nor errors, but refuses writes that cannot be recorded.
    """

    def __init__(self, inner: Transport, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    async def send(self, request: Request) -> Envelope:
        """Send the request. Raises `ConfigError` for a write that cannot be recorded."""
        commands = [command for command in request.commands if command.method.effect is not Effect.READ]
        if not commands:
            return await self._inner.send(request)
        before = await self._read(commands)
        authorship = _authorship(self._recorder.user)
        with anyio.CancelScope(shield=True):
            entries = await self._recorder.begin(
                [_write(command, state, authorship) for command, state in zip(commands, before, strict=True)]
            )
        try:
            answer = await self._inner.send(request)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._recorder.end(entries, _endings_of_failure(commands, error))
            raise
        with anyio.CancelScope(shield=True):
            await self._recorder.end(entries, _endings(request, answer.result))
        return answer

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()

    async def _read(self, commands: Sequence[Command[object]]) -> list[Wire | None]:
        """The objects as they are now. Issued together, so that what gathers reads below makes one request of them."""
        answers: dict[tuple[int, str], object] = {}

        async def ask(place: int, read: Command[object]) -> None:
            try:
                answers[place, read.method.operation] = (await self._inner.send(read)).result
            except BiMcpError as error:
                answers[place, read.method.operation] = error

        async with anyio.create_task_group() as tasks:
            for place, command in enumerate(commands):
                for read in _reads(command):
                    tasks.start_soon(ask, place, read)
        return [
            _state(command, answers.get((place, "get")), answers.get((place, "list")))
            for place, command in enumerate(commands)
        ]


def _reads(command: Command[object]) -> list[Command[object]]:
    id = command.parameters.get("id")
    if command.method.effect is Effect.CREATE or not isinstance(id, int):
        return []
    family = command.method.group
    reads: list[Command[object]] = [Command(method(family, "get"), {"id": id})]
    if command.method.kind == "dataset":
        # Only a list answers the source of a dataset.
        query = Query(select=["id", "sourceId"], filter={"id": id})
        reads.append(Command(method(family, "list"), query.to_wire()))
    return reads


def _state(command: Command[object], got: object, listed: object) -> Wire | None:
    """The state before a write. None for an object that does not exist or may not be read: the write itself says why. Without an answer the write must wait."""
    if isinstance(got, UnreachableError | UnexpectedAnswerError):
        raise UnreachableError(
            say(
                "{name} was not sent, because the state before it could not be read. {got}",
                name=command.method.name,
                got=got,
            ),
            method=command.method.name,
            may_have_happened=False,
        ) from None
    if not isinstance(got, Mapping):
        return None
    try:
        item = KINDS[command.method.kind].received.model_validate(got.get("item"))
    except ValidationError:
        return None
    held: dict[str, Any] = item.documented()
    if isinstance(listed, list) and listed and isinstance(listed[0], Mapping):
        held["sourceId"] = _whole(listed[0].get("sourceId"))
    return held


class _Authorship(TypedDict):
    """Who writes: the portal's user, and the caller as far as they are known."""

    user: int | None
    user_name: str | None
    client: str | None
    subject: str | None


def _authorship(user: Callable[[], int | None]) -> _Authorship:
    caller = current_caller()
    person = caller.person
    return {
        "user": user() if person is None else person.user_id,
        # Empty, but not absent, for a person without a name: it tells that they signed in.
        "user_name": None if person is None else person.name[:LONGEST_CALLER],
        "client": _cut(caller.client),
        "subject": _cut(caller.subject) if person is None else None,
    }


def _cut(name: str | None) -> str | None:
    """Names come from outside, and one may be as long as a request."""
    return name[:LONGEST_CALLER] if name else None


def _write(command: Command[object], before: Wire | None, authorship: _Authorship) -> RecordedWrite:
    fields = command.parameters.get("fields")
    sent = (
        fields
        if isinstance(fields, Mapping)
        else {name: value for name, value in command.parameters.items() if name != "id"}
    )
    actor = current_actor()
    name = (before or sent).get("title") or (before or sent).get("name") or ""
    return RecordedWrite(
        method=command.method.name,
        group=command.method.kind,
        object=_whole(command.parameters.get("id")),
        name=str(name),
        before=before,
        sent=_plain(sent),
        tool=actor.tool,
        undoes=actor.undoes,
        change=actor.change,
        **authorship,
    )


def _plain(value: Any) -> Any:
    """Reduce a value to JSON and secrets."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    # A batch refers to objects that it creates itself; their ids are not known yet.
    return f"(result of command {value.command})" if isinstance(value, BatchReference) else value


def _endings(request: Request, result: object) -> list[Ending]:
    outcomes = zip(request.commands, request.outcomes(result), strict=True)
    return [
        _outcome_of(command, outcome)
        for command, outcome in outcomes
        if command.method.effect is not Effect.READ
    ]


def _outcome_of(command: Command[object], outcome: object) -> Ending:
    if isinstance(outcome, BiMcpError):
        return _ending(outcome)
    if command.method.effect is Effect.CREATE and isinstance(outcome, Mapping):
        return Ending("done", object=_whole(outcome.get("id")))
    return Ending("done")


def _endings_of_failure(commands: Sequence[Command[object]], error: BaseException) -> list[Ending]:
    if not isinstance(error, BiMcpError):
        return [Ending("unknown", "CUT_OFF") for _ in commands]
    return [_ending(failure) for failure in fail_batch(commands, error)]


def _ending(error: BiMcpError) -> Ending:
    code = error.code or _WITHOUT_CODE if isinstance(error, PortalError) else None
    if isinstance(error, NotSynchronisedError):
        return Ending("done", code)
    if may_have_happened(error):
        return Ending("unknown", code or "NO_ANSWER")
    return Ending("refused", code or _NOT_SENT)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
