"""Four views of one dataset, joined: its columns on the portal, their description outside, the header and the values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.dataset.column_matching import ExternalSide, check_columns
from bi_mcp.diagnostics.dataset.column_types import check_types
from bi_mcp.diagnostics.dataset.lost_table import find_lost_table
from bi_mcp.diagnostics.dataset.surroundings import check_dates, check_surroundings, correct_values
from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.chart_effects import describe_charts
from bi_mcp.diagnostics.findings.endpoint_rules import DENIED
from bi_mcp.diagnostics.findings.finding import LEVELS, Finding, Level, Who, worst
from bi_mcp.diagnostics.findings.folding import fold_columns
from bi_mcp.diagnostics.findings.portal_rules import NO_COLUMNS
from bi_mcp.diagnostics.tables.answer_shape import HEADER, check_shape
from bi_mcp.diagnostics.tables.external import DataEndpoint, DatasetContext, ExternalColumn, Sample
from bi_mcp.diagnostics.tables.header_order import reorder_header
from bi_mcp.rest.models import Column

__all__ = ["DatasetContext", "Diagnosis", "ExternalColumn", "Sample", "Verdict", "diagnose_views"]

Verdict = Literal["healthy", "degraded", "broken", "unreachable", "table_gone"]

_VERDICTS: dict[Level, Verdict] = {
    "ok": "healthy",
    "note": "healthy",
    "warning": "degraded",
    "error": "broken",
}


class Diagnosis(NamedTuple):
    """A verdict and its findings, the most serious first. Without trouble there may still be notes."""

    verdict: Verdict
    findings: list[Finding]

    @property
    def charts(self) -> str:
        """What a person sees in charts of the dataset."""
        return describe_charts(self.findings)

    @property
    def who(self) -> Who | None:
        """Who has to act first."""
        return next((finding.who for finding in self.findings if finding.level in {"warning", "error"}), None)


def diagnose_views(
    columns: Sequence[Column],
    described: Sequence[ExternalColumn] | None,
    sample: Sample | None,
    context: DatasetContext,
) -> Diagnosis:
    """Join the views. `described` and `sample` are None where the endpoint gave no answer; `context.failures` holds the
    reason.

    Pure: calls no endpoint, and neither findings nor their calls hold values of the source's settings.
    """
    lost = find_lost_table(context)
    findings = check_surroundings(context.source, context.connector, context.generation)
    if lost is None:
        findings += _check_answers(described, sample, context)
        findings += _check_columns(columns, described, sample, context)
    else:
        # What the endpoints say of a table that is not there follows from that.
        findings.append(lost)
    troubled = worst(findings) in {"warning", "error"}
    findings.extend(check_dates(context, troubled=troubled))
    findings = fold_columns(findings)
    findings.sort(key=lambda finding: LEVELS.index(finding.level), reverse=True)
    if lost is not None:
        return Diagnosis("table_gone", findings)
    if described is None and sample is None:
        return Diagnosis("unreachable", findings)
    return Diagnosis(_VERDICTS[worst(findings)], findings)


def _check_answers(
    described: Sequence[ExternalColumn] | None, sample: Sample | None, context: DatasetContext
) -> Iterator[Finding]:
    yield from context.breaches
    yield from context.charts
    unchecked = {
        "urlTableDescription": text("Its columns and types could not be checked."),
        "urlData": text("Its header and values could not be checked."),
    }
    answers = dict(zip(get_args(DataEndpoint), (described, sample), strict=True))
    silent = [endpoint for endpoint, answer in answers.items() if answer is None]
    causes = {context.causes.get(endpoint) for endpoint in silent}
    if len(silent) > 1 and len(causes) == 1 and None not in causes:
        # One cause is one finding.
        unchecked[silent[0]] = text("It is the same for all of them, so nothing could be checked.")
        silent = silent[:1]
    places = ", ".join(endpoint for endpoint, answer in answers.items() if answer is None)
    for endpoint in silent:
        reason = context.failures.get(endpoint) or say("the reason is not known")
        failed = say(rules.NO_ANSWER.what, reason=reason.rstrip("."))
        remedies = [context.remedies.get(endpoint) or "", rules.NO_ANSWER.remedy()]
        call = None
        if context.causes.get(endpoint) == DENIED and context.source and context.connector:
            # The endpoint is as it should be.
            advice, call = correct_values(context.source, context.connector)
            remedies = [advice or remedies[0]]
        yield rules.NO_ANSWER.finding(
            places if len(silent) == 1 else endpoint,
            said=f"{failed} {say(unchecked[endpoint])}",
            advice=" ".join(part for part in remedies if part),
            call=call,
            who=context.acting.get(endpoint),
            effect="no data" if sample is None else None,
            cause=context.causes.get(endpoint, ""),
        )


def _check_columns(
    columns: Sequence[Column],
    described: Sequence[ExternalColumn] | None,
    sample: Sample | None,
    context: DatasetContext,
) -> Iterator[Finding]:
    if not columns:
        yield NO_COLUMNS.finding("columns")
    codes = [column.code for column in described or ()]
    if sample is not None and (other := reorder_header(sample, columns)) is not None:
        yield rules.HEADER_MISPLACED.finding(say(HEADER))
        sample = other
    if sample is not None:
        yield from check_shape(sample, columns, codes)
    if described is not None and not described:
        yield rules.NO_COLUMNS_OUTSIDE.finding("urlTableDescription")
    elif described is not None:
        values = {**(sample.columns if sample else {}), **context.candidates}
        yield from check_columns(columns, ExternalSide(described, described=True, values=values), context)
    elif sample is not None and not {column.external_code for column in columns}.isdisjoint(sample.codes):
        # A header without any of our codes does not show which columns vanished.
        header = [ExternalColumn(code, "", "") for code in sample.codes]
        side = ExternalSide(header, described=False, values=sample.columns)
        yield from check_columns(columns, side, context)
    by_code = {column.code: column for column in described or ()}
    yield from check_types(columns, by_code, sample, context)
