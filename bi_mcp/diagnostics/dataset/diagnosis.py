"""The diagnosis of a dataset: its columns compared with the table behind it, and a proposal for a new dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bi_mcp.base.progress import report
from bi_mcp.diagnostics.dataset.charts import check_names, read_by_name
from bi_mcp.diagnostics.dataset.table_answers import (
    SAMPLED_ROWS,
    HostGates,
    TableAnswers,
    TableList,
    read_table,
)
from bi_mcp.diagnostics.dataset.views import Diagnosis, diagnose_views
from bi_mcp.diagnostics.tables.external import DatasetContext, ExternalColumn, Sample
from bi_mcp.diagnostics.tables.naming import name_as_dataset
from bi_mcp.diagnostics.tables.proposal import Proposal, propose_fields
from bi_mcp.endpoints.question import DatasetColumn
from bi_mcp.errors import EndpointError

if TYPE_CHECKING:
    from bi_mcp.diagnostics.charts.asking import Verdict
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.models import Connector, Dataset, Source


from bi_mcp.diagnostics.dataset.outside import Outside, open_dataset


async def propose_dataset(bi: BIConnector, outside: Outside, table: str) -> Proposal:
    """Make the `fields` for `dataset_add` of an external table; names, types and codes are checked against samples."""
    await report(0, 3, "Reading the external table")
    found = (await outside.tables(table)).items or (await outside.tables()).items
    known = next((item for item in found if item.external_code == table), None)
    described = await outside.columns(table)
    columns = [ExternalColumn(column.code, column.name, column.answered_type) for column in described.items]
    await report(1, 3, "Reading the names of the datasets")
    taken = [dataset.name or "" async for dataset in bi.datasets.iterate(select=["id", "name"])]
    generation = await bi.datasets.generation()
    await report(2, 3, "Sampling values")
    named = name_as_dataset([(column.code, column.name, column.type) for column in columns])
    sample, failed = await _sample(outside, table, named)
    title = known.title if known else ""
    proposal = propose_fields(table, title, columns, sample, outside.source.id, taken, generation)
    return proposal._replace(
        reasons=[*proposal.reasons, *(finding.what for finding in check_names(failed, named, outside))]
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
    generation = await bi.datasets.generation()
    return dataset, judge_dataset(dataset, outside.source, outside.connector, answers, generation)


def judge_dataset(
    dataset: Dataset,
    source: Source,
    connector: Connector,
    answers: TableAnswers,
    generation: PortalGeneration,
) -> Diagnosis:
    """Pure: join the portal's data with the endpoints' answers."""
    context = DatasetContext(
        dataset=dataset,
        source=source,
        connector=connector,
        generation=generation,
        failures=answers.failures,
        breaches=answers.breaches,
        charts=answers.charts,
        tables=answers.tables,
        remedies=answers.remedies,
        causes=answers.causes,
        acting=answers.acting,
        candidates=answers.candidates,
    )
    return diagnose_views(dataset.fields or [], answers.described, answers.sample, context)


async def _sample(
    outside: Outside, table: str, columns: Sequence[DatasetColumn]
) -> tuple[Sample | None, Verdict | None]:
    try:
        rows, failed = await read_by_name(outside, table, columns, SAMPLED_ROWS)
    except EndpointError:
        # The types that the connector announces must do.
        return None, None
    names = {column.code: column.name for column in columns}
    return Sample(rows.header, rows.rows, selected=list(names), mapped=names), failed
