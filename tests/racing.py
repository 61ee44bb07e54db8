"""Somebody else at work on a portal, past the locks of who is tested, at a moment that a test names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bi_mcp.rest.batch import BatchBody
from bi_mcp.rest.methods import Method
from bi_mcp.rest.transport import Transport


@dataclass
class Race:
    """Does something once, before or after a method reaches the portal, by itself or in a batch: `after biconnector.source.add`."""

    inner: Transport
    race: dict[str, Callable[[], Awaitable[object]]]

    async def call(self, method: Method, parameters: Mapping[str, object]) -> object:
        names = [method.name]
        if isinstance(parameters, BatchBody):
            names = [command.method.name for command in parameters.commands]
        await self._act("before", names)
        result = await self.inner.call(method, parameters)
        await self._act("after", names)
        return result

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _act(self, when: str, names: list[str]) -> None:
        for name in names:
            if act := self.race.pop(f"{when} {name}", None):
                await act()
