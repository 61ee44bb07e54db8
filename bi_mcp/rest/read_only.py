"""A transport that lets reads through and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.methods import Effect

if TYPE_CHECKING:
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.request import Request, Transport


class ReadOnlyTransport:
    """A transport over another. A batch counts as a read where all of its commands read."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Envelope:
        """Send a read. Raises `InvalidRequestError` for a write, which is not sent."""
        if request.method.effect is not Effect.READ:
            raise InvalidRequestError(
                say("{name} was not sent: the portal is locked read-only here.", name=request.method.name),
                advise(AdviceKind.UNLOCK),
            )
        return await self._inner.send(request)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()
