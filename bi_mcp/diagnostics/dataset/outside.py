"""The external system behind a source, read as Bitrix24 reads it: tables, columns and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.endpoints.request import Dialect
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.vault.secret_parameters import looks_secret

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.diagnostics.connector.report import ConnectorReport
    from bi_mcp.endpoints.answers import Columns, ListedTables, Rows
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.endpoints.request import DataRequest
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import Connector, Dataset, Source


@dataclass(frozen=True)
class Outside:
    """A source with its connector, and how to call the connector's endpoints. `maps`: the portal sends `mapFields`."""

    caller: EndpointCaller
    source: Source
    connector: Connector
    maps: bool = True

    @property
    def dialect(self) -> Dialect:
        """The form of the portal's requests."""
        return Dialect(self.caller.culture, self.maps)

    @property
    def connection(self) -> dict[str, Secret]:
        """The values that Bitrix24 sends with each call."""
        return {setting.code: setting.value for setting in self.source.settings or []}

    @property
    def urls(self) -> dict[str, str]:
        """The addresses by their names on the connector."""
        fields = zip(ENDPOINTS, ADDRESSES, strict=True)
        return {endpoint: getattr(self.connector, name) or "" for endpoint, name in fields}

    async def tables(self, search: str = "") -> ListedTables:
        """The external tables; the endpoint does the search."""
        return await self.caller.table_list(self.urls["urlTableList"], self.connection, search)

    async def columns(self, table: str) -> Columns:
        """The columns of an external table."""
        return await self.caller.table_description(self.urls["urlTableDescription"], self.connection, table)

    async def ask(self, request: DataRequest) -> Rows:
        """The rows that `urlData` answers."""
        return await self.caller.ask(self.urls["urlData"], self.connection, request)

    async def check(
        self, table: str | None = None, *, quick: bool = False, repeat: int = 0
    ) -> ConnectorReport:
        """Every endpoint against every rule, and unless `quick` what charts ask; with `repeat` how often each answers."""
        parameters = self.connector.settings or []
        secret = [
            parameter.code for parameter in parameters if looks_secret(parameter.code, parameter.name or "")
        ]
        return await examine_connector(
            self.caller,
            self.urls,
            self.connection,
            table=table,
            secret_codes=secret,
            maps=self.maps,
            quick=quick,
            repeat=repeat,
        )


async def open_outside(bi: BIConnector, caller: EndpointCaller, source_id: int) -> Outside:
    """Read a source and its connector from the portal."""
    source = await bi.sources.get(source_id)
    if source.connector_id is None:
        raise InvalidRequestError(
            say(
                "source {id}: the portal does not say which connector it uses. Look at it on the portal: its connector may be gone.",
                id=source_id,
            )
        )
    connector = await bi.connectors.get(source.connector_id)
    return Outside(caller, source, connector, await bi.datasets.generation() == "tables")


async def open_dataset(bi: BIConnector, caller: EndpointCaller, dataset_id: int) -> tuple[Dataset, Outside]:
    """Read a dataset with its columns, and what lies behind it. Only the list answers which source that is."""
    dataset = await bi.datasets.get(dataset_id)
    page = await bi.datasets.list_page(select=["id", "sourceId"], filter={"id": dataset_id})
    source_id = next((item.source_id for item in page.items if item.id == dataset_id), None)
    if source_id is None:
        raise InvalidRequestError(
            say(
                "dataset {id}: the portal does not say which source it uses. Look at it on the portal: its source may be gone.",
                id=dataset_id,
            )
        )
    return dataset.model_copy(update={"source_id": source_id}), await open_outside(bi, caller, source_id)
