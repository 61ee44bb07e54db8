"""The portal generation, and the family of methods that serves datasets: worked out here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import anyio

from bi_mcp.base.language import say
from bi_mcp.errors import MethodMissingError
from bi_mcp.rest.methods import method
from bi_mcp.rest.request import Command

if TYPE_CHECKING:
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Transport

# A portal of the generation `tables` has `biconnector.table.*`, usually beside `biconnector.dataset.*`, on the same storage.
PortalGeneration = Literal["classic", "tables"]
Family = Literal["dataset", "table"]


class DatasetFamilies:
    """Sends the calls of datasets by the family that the portal has. It asks once, when it has to know."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._generation: PortalGeneration | None = None
        self._family: Family = "dataset"
        self._finding_out = anyio.Lock()

    async def generation(self) -> PortalGeneration:
        """Return the portal generation. Asks with a method that needs no rights but access."""
        async with self._finding_out:
            if self._generation is None:
                try:
                    await self._transport.send(Command(method("table", "fields"), {}))
                    self._generation = "tables"
                except MethodMissingError:
                    self._generation = "classic"
        return self._generation

    def use_tables(self) -> None:
        """Use the newer family from now on, because this portal lacks the classic one."""
        self._generation, self._family = "tables", "table"

    def method(self, operation: str) -> Method:
        """Look up the method that serves an operation, as far as the portal is known."""
        # Where the newer family exists, dataset.delete ends with HTTP 500.
        deletes = operation == "delete" and self._generation == "tables"
        return method("table" if deletes else self._family, operation)

    async def send(self, command: Command[object]) -> Envelope:
        """Send a call. An unknown method did nothing, so sending it again to the other family is safe."""
        if command.method.group == "dataset" and self._family == "dataset":
            try:
                return await self._transport.send(command)
            except MethodMissingError:
                if await self.generation() == "classic":
                    raise
                self.use_tables()
        called = method("table", command.method.operation)
        return await self._transport.send(replace(command, method=called))


class TableFamily(DatasetFamilies):
    """The newer family alone, without asking."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.use_tables()

    async def send(self, command: Command[object]) -> Envelope:
        """Send a call. Raises `MethodMissingError` that names the classic family where this one is missing."""
        try:
            return await super().send(command)
        except MethodMissingError as missing:
            raise missing.with_words(
                method=missing.method,
                code=missing.code,
                message=missing.message,
                hint=say(
                    "This portal has no biconnector.table.*: it is older than that family, or lacks the module. Use biconnector.dataset.*, which every generation has."
                ),
            ) from None
