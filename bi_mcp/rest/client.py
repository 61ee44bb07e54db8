"""The client: one portal, the methods of three kinds of objects, and the newer family of the third."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from anyio import to_thread

from bi_mcp.base.progress import remark
from bi_mcp.errors import BiMcpError
from bi_mcp.rest.batch import MAX_COMMANDS, encode_batch, fail_batch, skip
from bi_mcp.rest.connectors import Connectors
from bi_mcp.rest.datasets import Datasets
from bi_mcp.rest.generation import TableFamily
from bi_mcp.rest.portal_info import PortalInfo
from bi_mcp.rest.read_only import ReadOnlyTransport
from bi_mcp.rest.request import build_stack
from bi_mcp.rest.snapshot import read_snapshot
from bi_mcp.rest.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from bi_mcp.rest.credential import Credential
    from bi_mcp.rest.kind_methods import KindMethods
    from bi_mcp.rest.request import Command, Layer, Transport
    from bi_mcp.rest.snapshot import Snapshot

Value = TypeVar("Value")


class BIConnector:
    """The BIconnector REST API of one portal.

    async with BIConnector("https://portal.example", AccessToken(Secret("..."))) as bi:
        connector = await bi.connectors.get(5)

    Given an address, it keeps to the limits of a standard plan and repeats calls that are safe to repeat
    (`rest.patience`). Given a transport, it adds nothing to it.
    """

    def __init__(self, portal: str | Transport, credential: Credential | None = None) -> None:
        self._transport = _http(portal, credential) if isinstance(portal, str) else portal
        self.connectors = Connectors(self._transport)
        self.sources = Sources(self._transport)
        self.datasets = Datasets(self._transport)
        self.tables = Datasets(self._transport, TableFamily)
        self.portal = PortalInfo(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to the portal."""
        await self._transport.aclose()

    async def batch(
        self, commands: Sequence[Command[Value]], *, halt: bool = False
    ) -> list[Value | BiMcpError]:
        """Run commands in their order, 50 per request, and return for each its value or its error, in the same order.

        `halt` stops after a request in which a command failed; within a request the portal stops only at errors of its REST
        service, not at those of the module. After a request that failed as a whole nothing more is sent. A command that
        was not run yields a `SkippedError`. Raises `InvalidRequestError` before anything is sent if a command does not fit.
        """
        batches = [
            encode_batch(commands[start : start + MAX_COMMANDS], halt=halt, first=start)
            for start in range(0, len(commands), MAX_COMMANDS)
        ]
        outcomes: list[Value | BiMcpError] = []
        for batch in batches:
            if len(batches) > 1:
                await remark(
                    f"Commands {batch.first + 1} to {batch.first + len(batch.commands)} of {len(commands)} go to the portal"
                )
            try:
                answer = await self._transport.send(batch)
            except BiMcpError as error:
                outcomes += fail_batch(batch.commands, error)
                break
            # Pages of fifty objects each take their time, and others wait for this loop.
            outcomes += await to_thread.run_sync(batch.parse, answer.result)
            if halt and any(isinstance(outcome, BiMcpError) for outcome in outcomes):
                break
        return [*outcomes, *(skip(command) for command in commands[len(outcomes) :])]

    def of(self, kind: str) -> KindMethods[Any, Any, Any]:
        """Return the methods of a kind by its name: connector, source or dataset."""
        kinds: dict[str, KindMethods[Any, Any, Any]] = {
            "connector": self.connectors,
            "source": self.sources,
            "dataset": self.datasets,
        }
        return kinds[kind]

    def read_only(self) -> BIConnector:
        """Return a client over the same connections that refuses every write before it is sent."""
        return self.through(ReadOnlyTransport)

    def through(self, *layers: Layer) -> BIConnector:
        """Return a client over the same connections whose calls go through further transports, the last of them first."""
        return BIConnector(build_stack(self._transport, layers))

    async def snapshot(self) -> Snapshot:
        """Read everything that the portal shows this application, with as few requests as possible."""
        return await read_snapshot(self)


def _http(portal_url: str, credential: Credential | None) -> Transport:
    # Imported here: a caller with a transport of its own need not load httpx.
    from bi_mcp.rest.patience import PatientTransport
    from bi_mcp.rest.transport import HttpTransport

    if credential is None:
        raise TypeError("BIConnector needs a credential with a portal's address")
    return build_stack(HttpTransport(portal_url, credential), [PatientTransport])
