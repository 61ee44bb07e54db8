"""The external system behind a source, read as Bitrix24 reads it: tables, columns, rows, and what they make of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bi_mcp.diagnostics.connector_check import examine_connector
from bi_mcp.diagnostics.dataset_views import Diagnosis, diagnose
from bi_mcp.diagnostics.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.external import DatasetContext, ExternalColumn, Sample
from bi_mcp.diagnostics.proposal import Proposal, propose
from bi_mcp.diagnostics.table_answers import HostGates, TableAnswers, TableList, read_table
from bi_mcp.errors import EndpointError, InvalidRequestError
from bi_mcp.language import say
from bi_mcp.progress import report
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.rest.query import split_key
from bi_mcp.secret_references.secret_parameters import looks_secret

if TYPE_CHECKING:
    from bi_mcp.diagnostics.connector_report import ConnectorReport
    from bi_mcp.diagnostics.external import Generation
    from bi_mcp.endpoints.answers import Columns, Rows, Tables
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.models import Connector, Dataset, Source
    from bi_mcp.secret import Secret

# Enough to judge types by, little enough to read in a moment.
SAMPLED_ROWS = 200


@dataclass(frozen=True)
class Outside:
    """A source with its connector, and how to call the connector's endpoints."""

    caller: EndpointCaller
    source: Source
    connector: Connector

    @property
    def connection(self) -> dict[str, Secret]:
        """The values that Bitrix24 sends with each call."""
        return {setting.code: setting.value for setting in self.source.settings or []}

    @property
    def urls(self) -> dict[str, str]:
        """The addresses by their names on the connector."""
        fields = zip(ENDPOINTS, ADDRESSES, strict=True)
        return {endpoint: getattr(self.connector, name) or "" for endpoint, name in fields}

    async def tables(self, search: str = "") -> Tables:
        """The external tables; the endpoint does the search."""
        return await self.caller.table_list(self.urls["urlTableList"], self.connection, search)

    async def columns(self, table: str) -> Columns:
        """The columns of an external table."""
        return await self.caller.table_description(self.urls["urlTableDescription"], self.connection, table)

    async def rows(
        self,
        table: str,
        *,
        select: Sequence[str] = (),
        filter: Mapping[str, object] | None = None,
        limit: int = SAMPLED_ROWS,
        map_fields: Mapping[str, str] | None = None,
    ) -> Rows:
        """The first rows of an external table."""
        url = self.urls["urlData"]
        return await self.caller.data(
            url, self.connection, table, select=select, filter=filter, limit=limit, map_fields=map_fields
        )

    async def check(self, table: str | None = None) -> ConnectorReport:
        """Every endpoint against every rule."""
        parameters = self.connector.settings or []
        secret = [
            parameter.code for parameter in parameters if looks_secret(parameter.code, parameter.name or "")
        ]
        return await examine_connector(
            self.caller, self.urls, self.connection, table=table, secret_codes=secret
        )


async def open_outside(bi: BIConnector, caller: EndpointCaller, source_id: int) -> Outside:
    """Read a source and its connector from the portal."""
    source = await bi.sources.get(source_id)
    if source.connector_id is None:
        raise InvalidRequestError(
            say("source {id}: the portal does not say which connector it uses.", id=source_id)
        )
    return Outside(caller, source, await bi.connectors.get(source.connector_id))


async def open_dataset(bi: BIConnector, caller: EndpointCaller, dataset_id: int) -> tuple[Dataset, Outside]:
    """Read a dataset with its columns, and what lies behind it. Only the list answers which source that is."""
    dataset = await bi.datasets.get(dataset_id)
    page = await bi.datasets.list_page(select=["id", "sourceId"], filter={"id": dataset_id})
    source_id = next((item.source_id for item in page.items if item.id == dataset_id), None)
    if source_id is None:
        raise InvalidRequestError(
            say("dataset {id}: the portal does not say which source it uses.", id=dataset_id)
        )
    return dataset.model_copy(update={"source_id": source_id}), await open_outside(bi, caller, source_id)


async def propose_dataset(bi: BIConnector, outside: Outside, table: str) -> Proposal:
    """Make the `fields` for `dataset_add` of an external table; names, types and codes are checked against samples."""
    await report(0, 3, "Reading the external table")
    found = (await outside.tables(table)).items or (await outside.tables()).items
    known = next((item for item in found if item.external_code == table), None)
    described = await outside.columns(table)
    columns = [ExternalColumn(column.code, column.name, column.answered_type) for column in described.items]
    await report(1, 3, "Reading the names of the datasets")
    taken = [dataset.name or "" async for dataset in bi.datasets.iterate(select=["id", "name"])]
    generation: Generation = "tables" if await bi.datasets.has_tables() else "classic"
    await report(2, 3, "Sampling values")
    sample = await _sample(outside, table, [column.code for column in columns])
    title = known.title if known else ""
    return propose(table, title, columns, sample, outside.source.id, taken, generation)


async def preview_dataset(
    bi: BIConnector,
    caller: EndpointCaller,
    dataset_id: int,
    *,
    select: Sequence[str] = (),
    filter: Mapping[str, object] | None = None,
    limit: int,
) -> Rows:
    """Read the first rows of a dataset as Bitrix24 would; without `select` those of its visible columns."""
    dataset, outside = await open_dataset(bi, caller, dataset_id)
    _check_codes(dataset, [*select, *(split_key(key)[1] for key in filter or ())])
    visible = [column.external_code or "" for column in dataset.fields or [] if column.visible is not False]
    rows = await outside.rows(
        dataset.external_code or "", select=select or visible, filter=filter, limit=limit
    )
    return replace(rows, rows=rows.rows[:limit], truncated=rows.truncated or len(rows.rows) > limit)


def _check_codes(dataset: Dataset, asked: Sequence[str]) -> None:
    """Refuse a column's name where its code belongs; a code may be one that the dataset lacks."""
    codes = {column.name: column.external_code for column in dataset.fields or []}
    named = [name for name in asked if name in codes and name not in codes.values()]
    if named:
        raise InvalidRequestError(
            say(
                "{name} is the name of a column on the portal; the connector knows its code, {code}. Write that in select and filter.",
                name=named[0],
                code=codes[named[0]],
            )
        )


async def diagnose_dataset(
    bi: BIConnector, caller: EndpointCaller, dataset_id: int
) -> tuple[Dataset, Diagnosis]:
    """Join the four views of a dataset. Raises only when the dataset itself cannot be read."""
    await report(0, 2, "Reading the dataset and its source")
    dataset, outside = await open_dataset(bi, caller, dataset_id)
    await report(1, 2, "Reading the external columns and sampling values")
    gates = HostGates()
    listing = TableList(outside, gates)
    answers = await read_table(outside, dataset.external_code or "", dataset.fields or [], gates, listing)
    generation: Generation = "tables" if await bi.datasets.has_tables() else "classic"
    return dataset, judge_dataset(dataset, outside.source, outside.connector, answers, generation)


def judge_dataset(
    dataset: Dataset,
    source: Source,
    connector: Connector,
    answers: TableAnswers,
    generation: Generation,
) -> Diagnosis:
    """Pure: join what the portal holds with what the endpoints answered."""
    context = DatasetContext(
        dataset=dataset,
        source=source,
        connector=connector,
        generation=generation,
        failures=answers.failures,
        breaches=answers.breaches,
        tables=answers.tables,
        remedies=answers.remedies,
    )
    return diagnose(dataset.fields or [], answers.described, answers.sample, context)


async def _sample(outside: Outside, table: str, codes: Sequence[str]) -> Sample | None:
    try:
        rows = await outside.rows(table, select=codes)
    except EndpointError:
        # The types that the connector announces must do.
        return None
    return Sample(rows.header, rows.rows, selected=codes)
