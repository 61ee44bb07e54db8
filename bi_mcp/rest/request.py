"""The interface between the methods and a portal: a request, and the transports that carry it.

Transports are stacked: each does one thing and passes the request on to the one below, down to the one that sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.methods import Method

Value_co = TypeVar("Value_co", covariant=True)


def _keep_reply(reply: object) -> Any:
    return reply


@dataclass(frozen=True)
class Command(Generic[Value_co]):
    """One call, by itself or in a batch; `parse` makes its value of the `result`, and without it the `result` is the value."""

    method: Method
    parameters: Mapping[str, object]
    parse: Callable[[object], Value_co] = _keep_reply

    @property
    def commands(self) -> Sequence[Command[Value_co]]:
        """The call itself."""
        return (self,)

    def outcomes(self, result: object) -> Sequence[object]:
        """Return the `result`, which is that of the only command."""
        return (result,)


class Request(Protocol):
    """One POST to a portal: a `Command`, or a `rest.batch.Batch` of them."""

    @property
    def method(self) -> Method:
        """The method that is called. That of a batch has the effect of its commands."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters that are sent."""
        ...

    @property
    def commands(self) -> Sequence[Command[object]]:
        """The calls that the request makes."""
        ...

    def outcomes(self, result: object) -> Sequence[object]:
        """Return for each command its part of the `result`, or its error."""
        ...


class Transport(Protocol):
    """Carrier of requests. Anything with these methods can serve a `BIConnector`."""

    async def send(self, request: Request) -> Envelope:
        """Return the answer, or raise one of `bi_mcp.errors`."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


Layer = Callable[[Transport], Transport]


def build_stack(transport: Transport, layers: Iterable[Layer]) -> Transport:
    """Put layers over a transport, the innermost first."""
    return reduce(lambda inner, layer: layer(inner), layers, transport)
