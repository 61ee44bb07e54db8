"""Asks a connector what one of its sources serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.base.progress import report
from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.source_check import choose_tables
from bi_mcp.diagnostics.tables.external import ExternalColumn
from bi_mcp.errors import ConfigError, EndpointError
from bi_mcp.setup.connector_setup import ServedSource, ServedTable, endpoint_urls

if TYPE_CHECKING:
    from bi_mcp.endpoints.answers import ExternalTable
    from bi_mcp.endpoints.caller import EndpointCaller

AT_ONCE = 4


async def ask_source(
    caller: EndpointCaller, url: str, name: str, key: Secret, tables: Collection[str] = ()
) -> ServedSource:
    """Ask for the tables of a source and their columns; `tables` are the codes that are wanted (`*` stands for any text), empty all.

    A table without a usable description is left out with its reason. Raises `EndpointError` where the connector does not
    list its tables, and `ConfigError` for a wanted table that it does not list.
    """
    asking = _Asking(caller, url, connection_of(name, key))
    listed = {table.code: table for table in await asking.listed()}
    if not listed:
        raise ConfigError(
            say("The source {source} lists no tables. Let its login read some, then try again.", source=name)
        )
    wanted = choose_tables(listed, tables)
    unknown = [code for code in wanted if code not in listed]
    if unknown or not wanted:
        raise ConfigError(
            say(
                "The source {source} has no table {tables}. Choose from its tables: {known}.",
                source=name,
                tables=", ".join(unknown or tables) or "–",
                known=", ".join(listed) or "–",
            )
        )
    await asking.describe([listed[code] for code in wanted])
    described = [asking.described[code] for code in wanted if code in asking.described]
    return ServedSource(name, described, asking.left_out)


def connection_of(name: str, key: Secret) -> dict[str, Secret]:
    """The settings of a named source, as Bitrix24 sends them."""
    return {"source": Secret(name), "key": key}


class _Asking:
    def __init__(self, caller: EndpointCaller, url: str, connection: Mapping[str, Secret]) -> None:
        self._caller = caller
        self._urls = endpoint_urls(url)
        self._connection = connection
        self._room = anyio.CapacityLimiter(AT_ONCE)
        self.described: dict[str, ServedTable] = {}
        self.left_out: dict[str, str] = {}

    async def listed(self) -> list[ExternalTable]:
        return (await self._caller.table_list(self._urls["urlTableList"], self._connection)).items

    async def describe(self, tables: list[ExternalTable]) -> None:
        await report(0, len(tables), "")
        async with anyio.create_task_group() as group:
            for table in tables:
                group.start_soon(self._describe_and_count, table, len(tables))

    async def _describe_and_count(self, table: ExternalTable, of: int) -> None:
        await self._describe(table)
        await report(len(self.described) + len(self.left_out), of, table.code)

    async def _describe(self, table: ExternalTable) -> None:
        async with self._room:
            try:
                columns = await self._caller.table_description(
                    self._urls["urlTableDescription"], self._connection, table.code
                )
            except EndpointError as error:
                self.left_out[table.code] = " ".join(filter(None, (str(error), error.said)))
                return
        self.described[table.code] = ServedTable(
            table.code,
            table.title,
            [ExternalColumn(column.code, column.name, column.type) for column in columns.items],
        )
