"""Independent reads that are issued together travel as one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from bi_mcp.errors import BiMcpError, InvalidRequestError, PortalError
from bi_mcp.rest.batch import (
    MAX_COMMANDS,
    Command,
    batch_method,
    encode_batch,
    encode_command,
    fail_batch,
    parse_batch,
)
from bi_mcp.rest.methods import Effect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.transport import Transport

# Rounds of the event loop before a batch leaves. One round collects the tasks that were started together; a few more
# collect the calls that arrive message by message. A clock is not involved.
ROUNDS = 5

# Outcome of a command whose method has used up its run time, while others of the batch were answered.
_BLOCKED = object()


class GatheringTransport:
    """A transport over another: reads issued together leave it as one `batch`, a read alone as a plain call.

    A read whose parameters cannot travel in a batch, and every write, is passed on at once. Methods that a webhook may
    call are gathered apart from the others, so that one credential's limits do not spoil the other's calls. `turn` waits until
    a request could go: while it does, further reads join, and a portal that takes two requests a second serves fifty reads with
    each of them.
    """

    def __init__(self, inner: Transport, *, turn: Callable[[Method], Awaitable[None]] | None = None) -> None:
        self._inner = inner
        self._turn = turn
        self._open: dict[bool, _Group] = {}

    async def call(self, method: Method, parameters: Mapping[str, object]) -> object:
        """Return the `result` of the call, whichever way it went. A call that is cancelled does not disturb the others."""
        command: Command[object] = Command(method, parameters)
        if not _may_be_gathered(command):
            return await self._inner.call(method, parameters)
        group, seat = self._join(command)
        try:
            while not seat.answered:
                if group.leader is seat:
                    await self._lead(group)
                else:
                    await seat.wake.wait()
        finally:
            group.leave(seat)
        if seat.outcome is _BLOCKED:
            # The transport below waits for blocked methods, and it sees single calls only.
            return await self._inner.call(method, parameters)
        if isinstance(seat.outcome, BiMcpError):
            raise seat.outcome
        return seat.outcome

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _join(self, command: Command[object]) -> tuple[_Group, _Seat]:
        group = self._open.setdefault(command.method.webhook, _Group())
        seat = group.join(command)
        if len(group.seats) == MAX_COMMANDS:
            self._close(group)
        return group, seat

    def _close(self, group: _Group) -> None:
        self._open = {kind: other for kind, other in self._open.items() if other is not group}

    async def _lead(self, group: _Group) -> None:
        for _ in range(ROUNDS):
            if group not in self._open.values():
                break
            await anyio.lowlevel.checkpoint()
        refusal = await self._wait_for_turn(group)
        self._close(group)
        seats = tuple(group.seats)
        commands = [seat.command for seat in seats]
        outcomes = await self._send(commands) if refusal is None else fail_batch(commands, refusal)
        for seat, outcome in zip(seats, outcomes, strict=True):
            seat.answer(outcome)

    async def _wait_for_turn(self, group: _Group) -> BiMcpError | None:
        if self._turn is None:
            return None
        try:
            await self._turn(group.leader.command.method)
        except BiMcpError as error:
            return error
        return None

    async def _send(self, commands: Sequence[Command[object]]) -> Sequence[object]:
        if len(commands) > 1:
            try:
                result = await self._inner.call(batch_method(commands), encode_batch(commands))
            except BiMcpError as error:
                return fail_batch(commands, error)
            return [
                _BLOCKED if _is_blocked(outcome) else outcome for outcome in parse_batch(commands, result)
            ]
        try:
            return [await self._inner.call(commands[0].method, commands[0].parameters)]
        except BiMcpError as error:
            return [error]


@dataclass(eq=False)
class _Seat:
    """One call that waits; `wake` is set when it is answered, or when it has to lead."""

    command: Command[object]
    wake: anyio.Event = field(default_factory=anyio.Event)
    answered: bool = False
    outcome: object = None

    def answer(self, outcome: object) -> None:
        self.answered, self.outcome = True, outcome
        self.wake.set()


@dataclass(eq=False)
class _Group:
    """The calls of one batch. The first of those that are left leads: it sends for all, in its own task.

    A leader that is cancelled takes the request with it, and the next one sends again. They are reads: nothing is lost.
    """

    seats: list[_Seat] = field(default_factory=list)

    @property
    def leader(self) -> _Seat:
        return self.seats[0]

    def join(self, command: Command[object]) -> _Seat:
        seat = _Seat(command)
        self.seats.append(seat)
        return seat

    def leave(self, seat: _Seat) -> None:
        self.seats.remove(seat)
        if self.seats:
            self.leader.wake.set()


def _may_be_gathered(command: Command[object]) -> bool:
    if command.method.effect is not Effect.READ:
        return False
    try:
        encode_command(command)
    except InvalidRequestError:
        return False
    return True


def _is_blocked(outcome: object) -> bool:
    return isinstance(outcome, PortalError) and outcome.code == "OPERATION_TIME_LIMIT"
