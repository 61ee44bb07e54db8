"""The few questions of charts that decide most for a dataset: are its columns found by name, and do filters work?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.charts.asking import Asker, Verdict, describe_error, describe_request, find
from bi_mcp.diagnostics.charts.probes import choose_typical
from bi_mcp.diagnostics.connector.chart_check import ASKED_ROWS, ISO_ONLY, describe_way
from bi_mcp.diagnostics.dataset.repair_calls import call
from bi_mcp.diagnostics.findings import chart_rules as rules
from bi_mcp.diagnostics.findings.finding import Effect, Finding, Kind
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

# One question, and where it fails twice, its two parts twice each, and the date range in ISO format twice.
MOST_CALLS = 10

_BOTH = text('a date range and "is one of"')
_RANGE = text("a date range")
_EQUALITY = text('"is one of"')
# The effect of each part where it fails alone.
_EFFECTS: Mapping[str, Effect] = {_RANGE: "dates", _EQUALITY: "filters"}


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
    probe = _Probe(asker, outside, table)
    parts = [(_RANGE, replace(question, groups=())), (_EQUALITY, replace(question, dates=None))]
    alone = [(what, part) for what, part in parts if part.dates or part.groups]
    found = list[Finding]()
    for what, part in alone if len(alone) > 1 else []:
        verdict_alone = await asker.settle(replace(part, limit=ASKED_ROWS), outside.dialect)
        if verdict_alone is not None and not verdict_alone.right:
            found.append(await probe.explain(verdict_alone, what, part))
    return found or [await probe.explain(verdict, _BOTH if len(alone) > 1 else alone[0][0], question)]


@dataclass(frozen=True)
class _Probe:
    """Looks for the cause of a part that fails."""

    asker: Asker
    outside: Outside
    table: str

    async def explain(self, verdict: Verdict, what: str, part: Question) -> Finding:
        """Name the cause where it is the format of dates; else offer the check that names each condition."""
        refused = verdict.outcome == "refused"
        if what == _RANGE and part.dates and self.outside.dialect.culture != "iso":
            iso = replace(self.outside.dialect, culture="iso")
            other = await self.asker.settle(replace(part, limit=ASKED_ROWS), iso)
            if other is not None and other.right:
                return self._tell_format(verdict, part.dates.column, refused=refused)
        kind: Kind = rules.CHART_FAILS if refused else rules.CHART_SHOWS_WRONG_ROWS
        check = call("connector_check", source=self.outside.source.id, table=self.table)
        found = find(kind, verdict, question=say(what)).model_copy(update={"call": check})
        return found.model_copy(update={"effect": _EFFECTS.get(what, found.effect)}) if refused else found

    def _tell_format(self, verdict: Verdict, name: str, *, refused: bool) -> Finding:
        kind = rules.DATE_RANGE_REFUSED if refused else rules.DATE_FORMAT_MISREAD
        types = next((each.type for each in self.asker.sample.columns if each.name == name), "date")
        formats = f"{say(ISO_ONLY)} " if refused else ""
        return find(kind, verdict, types=types, formats=formats)


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
