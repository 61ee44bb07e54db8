"""The few questions of charts that decide most for a dataset: are its columns found by name, and do filters work?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.charts.asking import Asker, Verdict, describe_error, describe_request, find
from bi_mcp.diagnostics.charts.probes import choose_typical
from bi_mcp.diagnostics.connector.chart_check import ASKED_ROWS, describe_way
from bi_mcp.diagnostics.findings import chart_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding, Kind
from bi_mcp.diagnostics.tables.values import list_values
from bi_mcp.endpoints.question import DatasetColumn, Question
from bi_mcp.endpoints.request import DataRequest, build_request
from bi_mcp.endpoints.wording import safe_text
from bi_mcp.errors import EndpointError

if TYPE_CHECKING:
    from bi_mcp.diagnostics.charts.sample import ChartSample
    from bi_mcp.diagnostics.dataset.outside import Outside
    from bi_mcp.diagnostics.tables.steadiness import Tally
    from bi_mcp.endpoints.answers import Rows

# One question, and where it fails twice, its two parts twice each.
MOST_CALLS = 8

_BOTH = text('a date range and "is one of"')
_RANGE = text("a date range")
_EQUALITY = text('"is one of"')


class NamedRows(NamedTuple):
    """Rows of a table. `failed`: the columns were not found by name, and the rows are those asked for by code."""

    rows: Rows
    failed: Verdict | None = None


async def read_by_name(
    outside: Outside, table: str, columns: Sequence[DatasetColumn], limit: int
) -> NamedRows:
    """Read rows as a chart does, by the names of columns; where that finds nothing, by code. Raises EndpointError."""
    names = tuple(column.name for column in columns)
    request = build_request(table, columns, Question(columns=names, limit=limit), outside.dialect)
    try:
        rows = await outside.ask(request)
    except EndpointError as error:
        names_differ = any(column.name != column.code for column in columns)
        # Without an answer about this request, the names are not at fault.
        if error.status in {None, 401, 403, 429} or not names_differ:
            raise
        return await _read_by_code(outside, request, describe_error(error), error)
    if columns and rows.header and set(names).isdisjoint(rows.columns):
        header = safe_text(", ".join(rows.header), outside.connection)
        return await _read_by_code(outside, request, say("the header {header}", header=header), rows)
    return NamedRows(rows)


def check_names(
    failed: Verdict | None, columns: Sequence[DatasetColumn], outside: Outside
) -> Iterator[Finding]:
    """Report the columns that a chart does not find."""
    if failed is None:
        return
    apart = [column for column in columns if column.name.casefold() != column.code.casefold()]
    if not apart:
        yield find(rules.NAMES_UNKNOWN, failed, way=describe_way(outside.dialect))
        return
    why = (
        text("The connector does not find columns by the names that mapFields gives.")
        if outside.dialect.maps
        else text("This portal asks by the names of columns and does not say which codes they belong to.")
    )
    pairs = list_values([f"{column.code} → {column.name}" for column in apart])
    yield find(rules.CODE_AND_NAME_DIFFER, failed, why=say(why), columns=pairs)


async def check_typical_chart(
    outside: Outside, table: str, sample: ChartSample, tally: Tally
) -> list[Finding]:
    """Ask for a date range and "is one of" at once; where that fails, for each alone."""
    question = choose_typical(sample)
    if question is None:
        return []
    asker = Asker(outside.ask, outside.connection, table, sample, tally, tally.calls + MOST_CALLS)
    verdict = await asker.settle(replace(question, limit=ASKED_ROWS), outside.dialect)
    if verdict is None or verdict.right:
        return []
    parts = [(_RANGE, replace(question, groups=())), (_EQUALITY, replace(question, dates=None))]
    alone = [(what, part) for what, part in parts if part.dates or part.groups]
    found = list[Finding]()
    for what, part in alone if len(alone) > 1 else []:
        verdict_alone = await asker.settle(replace(part, limit=ASKED_ROWS), outside.dialect)
        if verdict_alone is not None and not verdict_alone.right:
            found.append(_fails(verdict_alone, what))
    return found or [_fails(verdict, _BOTH if len(alone) > 1 else alone[0][0])]


def _fails(verdict: Verdict, what: str) -> Finding:
    kind: Kind = rules.CHART_FAILS if verdict.outcome == "refused" else rules.CHART_SHOWS_WRONG_ROWS
    return find(kind, verdict, question=say(what))


async def _read_by_code(
    outside: Outside, request: DataRequest, reply: str, before: EndpointError | Rows
) -> NamedRows:
    by_code = DataRequest(request.table, tuple(request.names), limit=request.limit)
    try:
        rows = await outside.ask(by_code)
    except EndpointError:
        rows = None
    if rows is None or set(by_code.select).isdisjoint(rows.header):
        if isinstance(before, EndpointError):
            raise before
        return NamedRows(before)
    sent = describe_request(request, outside.connection)
    return NamedRows(rows, Verdict("refused", sent, reply))
