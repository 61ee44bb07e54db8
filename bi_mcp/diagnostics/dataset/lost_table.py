"""A table that the connector no longer lists, and the listed ones that may have taken its place."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from bi_mcp.base.language import say
from bi_mcp.diagnostics.dataset.repair_calls import call
from bi_mcp.diagnostics.findings.dataset_rules import NO_TABLE_LISTED, TABLE_GONE
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.column_likeness import fold
from bi_mcp.diagnostics.tables.external import DatasetContext
from bi_mcp.diagnostics.tables.values import list_values, show_value
from bi_mcp.endpoints.answers import ExternalTable
from bi_mcp.rest.models import Dataset

MAX_SIMILAR = 3
# Lower than for columns: a table's new name often says a year or a schema more.
ALIKE = 0.6
# A connector may list any number of tables with names of any length, so the comparison is limited in both.
MAX_COMPARED = 1_000
COMPARED_SIGNS = 64


def find_lost_table(context: DatasetContext) -> Finding | None:
    """The finding for a dataset whose table is not among `context.tables`; None where it is, or these are not known."""
    dataset, tables = context.dataset, context.tables
    table = dataset.external_code or ""
    if tables is None or any(table == item.external_code for item in tables):
        return None
    source = dataset.source_id or (context.source.id if context.source else None)
    look = call("source_tables", source=source) if source else None
    if not tables:
        return NO_TABLE_LISTED.finding("table", table=show_value(table), call=look)
    said = [say(TABLE_GONE.what, table=show_value(table))]
    similar = similar_tables(dataset, tables)
    if similar:
        codes = list_values([item.external_code for item in similar])
        said.append(say("Similar ones: {codes}.", codes=codes))
    else:
        said.append(say("No listed table has a similar code or title."))
    free = (
        [] if context.taken is None else [item for item in tables if item.external_code not in context.taken]
    )
    if len(free) == 1:
        code = show_value(free[0].external_code)
        said.append(say("The only table without a dataset: {code!r}.", code=code))
    successor = next(
        iter([*(item for item in similar if item in free), *similar, *free[: len(free) == 1]]), None
    )
    if successor is None or not source:
        return TABLE_GONE.finding("table", said=" ".join(said), call=look)
    advice = say(
        "If {code!r} replaced it, create a dataset of that table with the names of this one and move the charts: a dataset cannot change its table.",
        code=show_value(successor.external_code),
    )
    return TABLE_GONE.finding(
        "table",
        said=" ".join(said),
        advice=f"{advice} {say('Else: {expected}', expected=TABLE_GONE.remedy())}",
        call=call("dataset_propose", source=source, table=successor.external_code, like=dataset.id),
        who="you",
    )


def similar_tables(dataset: Dataset, tables: Sequence[ExternalTable]) -> list[ExternalTable]:
    """The tables of the same title, then those of a similar code, the most alike first.

    Before them comes the table whose `id` the dataset holds where its code belongs.
    """
    wanted = fold(dataset.external_code or "")[:COMPARED_SIGNS]
    by_code = dict[str, ExternalTable]()
    for table in tables:
        by_code.setdefault(fold(table.code)[:COMPARED_SIGNS], table)
    compared = by_code if len(by_code) <= MAX_COMPARED else [code for code in by_code if code == wanted]
    alike = get_close_matches(wanted, compared, MAX_SIMILAR, ALIKE)
    meant = [table for table in tables if dataset.external_code and table.id == dataset.external_code]
    titled = [table for table in tables if dataset.external_name and table.title == dataset.external_name]
    return list(dict.fromkeys([*meant, *titled, *(by_code[code] for code in alike)]))[:MAX_SIMILAR]
