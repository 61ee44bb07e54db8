"""The endpoints' answers about one external table: three calls, whose answers serve every dataset on it, and more in trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from bi_mcp.diagnostics.charts.asking import UNREADABLE
from bi_mcp.diagnostics.charts.sample import read_sample
from bi_mcp.diagnostics.connector.report import Notebook
from bi_mcp.diagnostics.dataset.charts import check_names, check_typical_chart, read_by_name
from bi_mcp.diagnostics.findings.endpoint_rules import FAILURES, cause_of, quote_answer, remedy
from bi_mcp.diagnostics.findings.finding import Finding, Who
from bi_mcp.diagnostics.tables.external import ExternalColumn, Sample, is_code
from bi_mcp.diagnostics.tables.header_order import reorder_header
from bi_mcp.diagnostics.tables.naming import name_as_dataset
from bi_mcp.diagnostics.tables.steadiness import ask_steadily
from bi_mcp.endpoints.question import DatasetColumn
from bi_mcp.errors import EndpointError, EndpointReason

if TYPE_CHECKING:
    from bi_mcp.diagnostics.dataset.outside import Outside
    from bi_mcp.diagnostics.tables.external import DataEndpoint
    from bi_mcp.endpoints.answers import Breach, ExternalTable, Rule
    from bi_mcp.rest.models import Column

CALLS_PER_HOST = 12
# Enough to judge types by, little enough to read in a moment.
SAMPLED_ROWS = 200
# Of columns that may be lost ones: enough to tell numbers from dates and texts.
CANDIDATE_ROWS = 20
MOST_CANDIDATES = 50

# Errors that parsing removes without a trace; the other rules show in the parsed answer.
_LOST_IN_PARSING: frozenset[Rule] = frozenset(
    {
        "duplicate_code",
        "empty_code",
        "empty_name",
        "empty_type",
        "zero_as_text",
        "element_not_object",
        "row_not_array",
        "header_in_codes",
        "header_in_names",
    }
)

# What a list of tables may do wrong and still name every table.
_HARMLESS_IN_A_LIST: frozenset[Rule] = frozenset({"not_text", "duplicate_code"})

# After these failures the connector does not answer at all, so it is not asked for tables.
WITHOUT_ANSWER: frozenset[EndpointReason] = frozenset(
    {"bad_address", "refused_address", "unresolved", "unreachable", "tls", "timeout"}
)


class HostGates:
    """Limits the calls at once to each host. The owner of an address is not looked up."""

    def __init__(self, calls_per_host: int = CALLS_PER_HOST) -> None:
        self._calls = calls_per_host
        self._gates: dict[str, anyio.Semaphore] = {}

    def at(self, url: str) -> anyio.Semaphore:
        """The gate of an address's host, as a context manager."""
        try:
            host = urlsplit(url).netloc.rpartition("@")[2].casefold()
        except ValueError:
            host = ""
        return self._gates.setdefault(host, anyio.Semaphore(self._calls))


class TableList:
    """The tables that a connector lists: asked for when they are first needed, and then known for all tables of the source."""

    def __init__(self, outside: Outside, gates: HostGates) -> None:
        self._outside = outside
        self._gates = gates
        self._lock = anyio.Lock()
        self._asked = False
        self._tables: Sequence[ExternalTable] | None = None

    async def read(self) -> Sequence[ExternalTable] | None:
        """Return the tables, None where the endpoint gives no answer, or one that may lack tables."""
        async with self._lock:
            if not self._asked:
                self._asked = True
                self._tables = await self._ask()
        return self._tables

    async def _ask(self) -> Sequence[ExternalTable] | None:
        try:
            async with self._gates.at(self._outside.urls["urlTableList"]):
                tables = await self._outside.tables()
        except EndpointError:
            return None
        harmless = all(breach.rule in _HARMLESS_IN_A_LIST for breach in tables.breaches)
        return tables.items if harmless and not tables.truncated else None


@dataclass
class TableAnswers:
    """The answers about a table. `described` and `sample` are None where the endpoint gave no answer; then `failures`
    holds the reason, `remedies` the advice and `acting` who repairs it; failures of one of the `causes` are one.

    `tables` are those that the connector lists. They are asked for only if it answered nothing about the table itself.
    `candidates` are values of columns that may be lost ones by another code; read only where columns are lost.
    """

    described: list[ExternalColumn] | None = None
    sample: Sample | None = None
    failures: dict[DataEndpoint, str] = field(default_factory=dict)
    breaches: list[Finding] = field(default_factory=list)
    charts: list[Finding] = field(default_factory=list)
    tables: Sequence[ExternalTable] | None = None
    remedies: dict[DataEndpoint, str] = field(default_factory=dict)
    causes: dict[DataEndpoint, str] = field(default_factory=dict)
    acting: dict[DataEndpoint, Who] = field(default_factory=dict)
    candidates: dict[str, Sequence[object]] = field(default_factory=dict)

    def fail(self, endpoint: DataEndpoint, error: EndpointError) -> None:
        """Keep why an endpoint gave no answer."""
        self.failures[endpoint] = quote_answer(error)
        self.remedies[endpoint] = remedy(error.reason)
        self.causes[endpoint] = cause_of(error)
        if who := FAILURES[error.reason].who:
            self.acting[endpoint] = who

    @property
    def silent(self) -> bool:
        """True if neither endpoint answered anything about the table."""
        return not self.described and not (self.sample and self.sample.rows)


async def read_table(
    outside: Outside, table: str, columns: Sequence[Column], gates: HostGates, listing: TableList
) -> TableAnswers:
    """Call `urlTableDescription`, then `urlData` for those of the datasets' columns that are described, then as a chart
    with a date range and a filter does. If the connector can be reached and answers nothing about the table, ask
    whether it is still listed.

    Bitrix24 would ask for the other columns, too; a connector may then refuse everything, which says less than the rest
    of its data.
    """
    answers, notes = TableAnswers(), Notebook(outside.connection)
    reasons = set[EndpointReason]()
    try:
        async with gates.at(outside.urls["urlTableDescription"]):
            described = await ask_steadily(
                partial(outside.columns, table), notes.tally("urlTableDescription")
            )
        answers.described = [
            ExternalColumn(column.code, column.name, column.answered_type) for column in described.items
        ]
        notes.breaches("urlTableDescription", _lost(described.breaches))
    except EndpointError as error:
        answers.fail("urlTableDescription", error)
        reasons.add(error.reason)
    try:
        async with gates.at(outside.urls["urlData"]):
            await _read_rows(outside, table, columns, answers, notes)
    except EndpointError as error:
        answers.fail("urlData", error)
        reasons.add(error.reason)
    answers.breaches = notes.findings()
    if answers.silent and reasons.isdisjoint(WITHOUT_ANSWER):
        answers.tables = await listing.read()
    return answers


async def _read_rows(
    outside: Outside, table: str, columns: Sequence[Column], answers: TableAnswers, notes: Notebook
) -> None:
    """Read the sample by the columns' names, and ask the question of a usual chart."""
    tally = notes.tally("urlData")
    asked = _choose_columns(columns, answers.described)
    rows, failed = await ask_steadily(partial(read_by_name, outside, table, asked, SAMPLED_ROWS), tally)
    codes = {column.code: column.name for column in asked}
    answers.sample = Sample(rows.header, rows.rows, selected=list(codes), mapped=codes)
    notes.breaches("urlData", _lost(rows.breaches))
    answers.charts = list(check_names(failed, asked, outside))
    complete = not rows.truncated and len(rows.rows) < SAMPLED_ROWS
    sample = read_sample(asked, answers.sample.codes, rows.rows, complete=complete)
    readable = UNREADABLE.isdisjoint(breach.rule for breach in rows.breaches)
    if failed is None and readable and reorder_header(answers.sample, columns) is None:
        answers.charts += await check_typical_chart(outside, table, sample, tally)
    answers.candidates = await _read_candidates(outside, table, columns, answers.described)


async def _read_candidates(
    outside: Outside, table: str, columns: Sequence[Column], described: Sequence[ExternalColumn] | None
) -> dict[str, Sequence[object]]:
    """Read values of new columns if columns are lost. Without an answer, codes and labels must do."""
    known = {column.external_code or "" for column in columns}
    there = {column.code for column in described or ()}
    new = [column for column in described or () if column.code not in known and is_code(column.code)]
    if not new or known <= there:
        return {}
    asked = name_as_dataset([(column.code, column.name, column.type) for column in new[:MOST_CANDIDATES]])
    try:
        rows, _ = await read_by_name(outside, table, asked, CANDIDATE_ROWS)
    except EndpointError:
        return {}
    codes = {column.code: column.name for column in asked}
    return dict(Sample(rows.header, rows.rows, selected=list(codes), mapped=codes).columns)


def _choose_columns(
    columns: Sequence[Column], described: Sequence[ExternalColumn] | None
) -> list[DatasetColumn]:
    """The columns to ask for. Of several datasets' names for a column the first counts."""
    there = None if described is None else {column.code for column in described}
    asked = dict[str, DatasetColumn]()
    for column in columns:
        code = column.external_code or ""
        if there is None or code in there:
            asked.setdefault(code, DatasetColumn(column.name or "", code, column.type or "string"))
    return list(asked.values())


def _lost(breaches: Sequence[Breach]) -> list[Breach]:
    return [breach for breach in breaches if breach.rule in _LOST_IN_PARSING]
