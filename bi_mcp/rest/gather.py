"""Independent reads that are issued together travel as one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from bi_mcp.errors import BiMcpError, InvalidRequestError, PortalError
from bi_mcp.rest.batch import MAX_COMMANDS, build_batch, encode_command, fail_batch
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.patience import PatientTransport
from bi_mcp.rest.request import Command
from bi_mcp.rest.retry import RUN_TIME_USED_UP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.rate_limit import Limiter
    from bi_mcp.rest.request import Request, Transport

# Rounds of the event loop before a batch leaves. One round collects the tasks that were started together; a few more
# collect the calls that arrive message by message. A clock is not involved.
ROUNDS = 5

# Outcome of a read that is alone, or whose method has used up its run time: it is sent as a plain call.
_BY_ITSELF = Envelope(None)


class GatheringTransport:
    """A transport over another: reads issued together leave it as one `batch`, a read alone as a plain call.

    A read whose parameters cannot be sent in a batch, and every write, is passed on at once. Methods that a webhook may
    call are gathered apart from the others, so that one credential's limits do not spoil the other's calls. `turn` waits until
    a request could go: while it does, further reads join, and a portal that takes two requests a second serves fifty reads with
    each of them.
    """

    def __init__(self, inner: Transport, *, turn: Callable[[Method], Awaitable[None]] | None = None) -> None:
        self._inner = inner
        self._turn = turn
        self._open: dict[bool, _Group] = {}

    async def send(self, request: Request) -> Envelope:
        """Send the request, whichever way it goes. One that is cancelled does not disturb the others."""
        if not isinstance(request, Command) or request.method.effect is not Effect.READ:
            return await self._inner.send(request)
        text = encode_command(request)
        if isinstance(text, InvalidRequestError):
            return await self._inner.send(request)
        group, seat = self._join(request, text)
        try:
            while seat.outcome is None:
                if group.leader is seat:
                    await self._lead(group)
                else:
                    await seat.wake.wait()
        finally:
            group.leave(seat)
        if isinstance(seat.outcome, BiMcpError):
            raise seat.outcome
        return await self._inner.send(request) if seat.outcome is _BY_ITSELF else seat.outcome

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _join(self, command: Command[object], text: str | Secret) -> tuple[_Group, _Seat]:
        group = self._open.setdefault(command.method.webhook, _Group())
        seat = group.join(command, text)
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
        try:
            if self._turn is not None:
                await self._turn(group.leader.command.method)
            self._close(group)
            if len(group.seats) == 1:
                group.leader.answer(_BY_ITSELF)
                return
            # Calls that are cancelled leave their seats meanwhile.
            seats = tuple(group.seats)
            batch = build_batch([seat.command for seat in seats], [seat.text for seat in seats])
            answer = await self._inner.send(batch)
        except BiMcpError as error:
            self._close(group)
            seats = tuple(group.seats)
            outcomes: list[object] = [*fail_batch([seat.command for seat in seats], error)]
        else:
            outcomes = [
                _BY_ITSELF if isinstance(each, PortalError) and each.code == RUN_TIME_USED_UP else each
                for each in batch.outcomes(answer.result)
            ]
        for seat, outcome in zip(seats, outcomes, strict=True):
            seat.answer(outcome if isinstance(outcome, BiMcpError | Envelope) else Envelope(outcome))


def gather_patiently(inner: Transport, *, limiter: Limiter) -> Transport:
    """Put a gathering transport over a patient one: while a request waits for its turn, further reads join."""
    patient = PatientTransport(inner, limiter=limiter)
    return GatheringTransport(patient, turn=patient.turn)


@dataclass(eq=False)
class _Seat:
    """One call that waits; `wake` is set when it is answered, or when it has to lead."""

    command: Command[object]
    text: str | Secret
    wake: anyio.Event = field(default_factory=anyio.Event)
    outcome: Envelope | BiMcpError | None = None

    def answer(self, outcome: Envelope | BiMcpError) -> None:
        self.outcome = outcome
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

    def join(self, command: Command[object], text: str | Secret) -> _Seat:
        seat = _Seat(command, text)
        self.seats.append(seat)
        return seat

    def leave(self, seat: _Seat) -> None:
        self.seats.remove(seat)
        if self.seats:
            self.leader.wake.set()
