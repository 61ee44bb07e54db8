"""The client: one portal, three groups of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.rest.connectors import Connectors
from bi_mcp.rest.datasets import Datasets
from bi_mcp.rest.sources import Sources

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bi_mcp.rest.credential import Credential
    from bi_mcp.rest.transport import Transport


class BIConnector:
    """The BIconnector REST API of one portal.

    async with BIConnector("https://portal.example", AccessToken(Secret("..."))) as bi:
        connector = await bi.connectors.get(5)
    """

    def __init__(self, portal: str | Transport, credential: Credential | None = None) -> None:
        self._transport = _http(portal, credential) if isinstance(portal, str) else portal
        self.connectors = Connectors(self._transport)
        self.sources = Sources(self._transport)
        self.datasets = Datasets(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to the portal."""
        await self._transport.aclose()


def _http(portal_url: str, credential: Credential | None) -> Transport:
    # Imported here: who brings a transport of their own need not load httpx.
    from bi_mcp.rest.transport import HttpTransport

    if credential is None:
        raise TypeError("BIConnector needs a credential with a portal's address")
    return HttpTransport(portal_url, credential)
