"""Somebody else at work on a portal, past the locks of who is tested, at a moment that a test names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.request import Request, Transport


@dataclass
class Race:
    """Does something once, before or after a method reaches the portal, by itself or in a batch: `after biconnector.source.add`."""

    inner: Transport
    race: dict[str, Callable[[], Awaitable[object]]]

    async def send(self, request: Request) -> Envelope:
        names = [command.method.name for command in request.commands]
        await self._act("before", names)
        answer = await self.inner.send(request)
        await self._act("after", names)
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _act(self, when: str, names: list[str]) -> None:
        for name in names:
            if act := self.race.pop(f"{when} {name}", None):
                await act()
