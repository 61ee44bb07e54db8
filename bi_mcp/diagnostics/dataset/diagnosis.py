"""The diagnosis of a dataset: its columns compared with the table behind it, and a proposal for a new dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.progress import report
from bi_mcp.diagnostics.dataset.charts import check_names, read_by_name
from bi_mcp.diagnostics.dataset.column_matching import offer_columns
from bi_mcp.diagnostics.dataset.table_answers import (
    SAMPLED_ROWS,
    HostGates,
    TableAnswers,
    TableList,
    read_table,
)
from bi_mcp.diagnostics.dataset.views import Diagnosis, diagnose_views
from bi_mcp.diagnostics.tables.column_pairing import Outer
from bi_mcp.diagnostics.tables.external import DatasetContext, ExternalColumn, Sample, is_code
from bi_mcp.diagnostics.tables.inheritance import NOTHING, inherit
from bi_mcp.diagnostics.tables.naming import name_as_dataset
from bi_mcp.diagnostics.tables.proposal import ExistingDataset, Proposal, Wanted, propose_fields, tell_checked
from bi_mcp.diagnostics.tables.values import list_values, show_value
from bi_mcp.endpoints.question import DatasetColumn
from bi_mcp.errors import EndpointError, InvalidRequestError

if TYPE_CHECKING:
    from bi_mcp.diagnostics.charts.asking import Verdict
    from bi_mcp.endpoints.answers import Columns, ExternalTable
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.models import Dataset


from bi_mcp.diagnostics.dataset.outside import Outside, open_dataset

# A table of more datasets is told of the first.
MOST_EXISTING = 3


async def propose_dataset(
    bi: BIConnector, outside: Outside, table: str, like: int | None = None, name: str | None = None
) -> Proposal:
    """Make the `fields` for `dataset_add` of an external table; names, types and codes are checked against samples.

    The names and types of the dataset `like` are kept, for a table that took the place of its own.
    """
    model = await bi.datasets.get(like) if like is not None else None
    await report(0, 3, "Reading the external table")
    found = (await outside.tables(table)).items
    if not any(item.external_code == table for item in found):
        found = (await outside.tables()).items
    known = next((item for item in found if item.external_code == table), None)
    described = await _describe(outside, table, found)
    columns = [ExternalColumn(column.code, column.name, column.answered_type) for column in described.items]
    await report(1, 3, "Reading the names of the datasets")
    fields_read = ["id", "name", "sourceId", "externalCode"]
    datasets = [dataset async for dataset in bi.datasets.iterate(select=fields_read)]
    taken = [dataset.name or "" for dataset in datasets]
    generation = await bi.datasets.generation()
    await report(2, 3, "Sampling values")
    named = name_as_dataset([(column.code, column.name, column.type) for column in columns])
    sample, failed = await _sample(outside, table, named)
    title = known.title if known else ""
    inherited = NOTHING
    if model is not None:
        outer = Outer(columns, sample.columns if sample else {}, generation)
        inherited = inherit(model.id, model.fields or [], outer)
    wanted = Wanted(name, inherited, names_work=sample is not None and failed is None)
    proposal = propose_fields(table, title, columns, sample, outside.source.id, taken, generation, wanted)
    same = [
        dataset
        for dataset in datasets
        if dataset.source_id == outside.source.id and dataset.external_code == table
    ]
    existing = [await _compare_existing(bi, dataset, columns) for dataset in same[:MOST_EXISTING]]
    return proposal._replace(
        reasons=[
            *proposal.reasons,
            *tell_checked(sample),
            *(finding.what for finding in check_names(failed, named, outside)),
        ],
        existing=tuple(existing),
    )


async def _describe(outside: Outside, table: str, listed: Sequence[ExternalTable]) -> Columns:
    """Read the columns; of a table that is not listed and not described either, say which tables there are."""
    known = any(item.external_code == table for item in listed)
    try:
        described = await outside.columns(table)
    except EndpointError:
        if known or not listed:
            raise
        described = None
    if described is not None and (described.items or known or not listed):
        return described
    raise InvalidRequestError(
        say(
            "The connector does not know the table {table!r}. It lists {codes}; pass the code of one of them.",
            table=show_value(table),
            codes=list_values([item.external_code for item in listed]),
        )
    )


async def _compare_existing(
    bi: BIConnector, dataset: Dataset, described: Sequence[ExternalColumn]
) -> ExistingDataset:
    """Look what a dataset of the table lacks."""
    columns = (await bi.datasets.get(dataset.id)).fields or []
    known = {column.external_code for column in columns}
    missing = [column for column in described if is_code(column.code) and column.code not in known]
    call = offer_columns(dataset.id, columns, missing, await bi.datasets.generation()) if missing else None
    return ExistingDataset(dataset.id, dataset.name or "", tuple(column.code for column in missing), call)


async def diagnose_dataset(
    bi: BIConnector, caller: EndpointCaller, dataset_id: int
) -> tuple[Dataset, Outside, Diagnosis]:
    """Join the four views of a dataset, and tell what lies behind it. Raises only when the dataset itself cannot be read."""
    await report(0, 2, "Reading the dataset and its source")
    dataset, outside = await open_dataset(bi, caller, dataset_id)
    await report(1, 2, "Reading the external columns and sampling values")
    gates = HostGates()
    listing = TableList(outside, gates)
    answers = await read_table(outside, dataset.external_code or "", dataset.fields or [], gates, listing)
    generation = await bi.datasets.generation()
    taken = None
    if answers.tables is not None:
        read = [each async for each in bi.datasets.iterate(select=["id", "sourceId", "externalCode"])]
        taken = tables_of(outside.source.id, read)
    return dataset, outside, judge_dataset(dataset, outside, answers, generation, taken)


def tables_of(source: int, datasets: Iterable[Dataset]) -> set[str]:
    """The codes of a source's tables that have a dataset."""
    return {dataset.external_code or "" for dataset in datasets if dataset.source_id == source}


def judge_dataset(
    dataset: Dataset,
    outside: Outside,
    answers: TableAnswers,
    generation: PortalGeneration,
    taken: Collection[str] | None = None,
) -> Diagnosis:
    """Pure: join the portal's data with the endpoints' answers."""
    context = DatasetContext(
        dataset=dataset,
        source=outside.source,
        connector=outside.connector,
        generation=generation,
        failures=answers.failures,
        breaches=answers.breaches,
        charts=answers.charts,
        tables=answers.tables,
        remedies=answers.remedies,
        causes=answers.causes,
        acting=answers.acting,
        candidates=answers.candidates,
        taken=taken,
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
