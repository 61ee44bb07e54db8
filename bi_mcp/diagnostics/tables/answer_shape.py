"""The shape of an answer of `urlData`: a readable header, and rows of the same length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.finding import ColumnPlace, Finding
from bi_mcp.diagnostics.tables.external import Sample, find_repeated
from bi_mcp.diagnostics.tables.values import MAX_OFFENCES, list_values
from bi_mcp.rest.models import Column

HEADER = text("header of urlData")


def check_shape(sample: Sample, columns: Sequence[Column], described: Sequence[str]) -> list[Finding]:
    """`described` are the codes of `urlTableDescription`, empty when it did not answer."""
    if not sample.header:
        return [rules.NO_HEADER.finding(say(HEADER))]
    known = {column.external_code for column in columns} | set(described)
    if known.isdisjoint(sample.codes):
        return [rules.HEADER_UNKNOWN.finding(say(HEADER), codes=list_values(sample.header))]
    return [
        *_check_header(sample, columns, described),
        *_check_rows(sample),
    ]


def _check_header(sample: Sample, columns: Sequence[Column], described: Sequence[str]) -> Iterator[Finding]:
    codes, selected = sample.codes, list(sample.selected)
    wanted = [code for code in described if code in selected] if selected else list(described)
    missing = [code for code in wanted if code not in codes]
    unasked = [code for code in codes if code not in (selected or described)] if selected or described else []
    doubled = find_repeated(codes)
    where = say(HEADER)
    if missing:
        kind = rules.SELECTED_MISSING if selected else rules.DESCRIBED_MISSING
        said = say(kind.what, codes=list_values(missing))
        instead = say("It has others instead: {codes}.", codes=list_values(unasked))
        about = [
            ColumnPlace(column.name or "", column.external_code or "")
            for column in columns
            if column.external_code in missing
        ]
        yield kind.finding(where, said=f"{said} {instead}" if unasked else said, about=about)
    elif unasked:
        kind = rules.NOT_SELECTED if selected else rules.NOT_DESCRIBED
        yield kind.finding(where, codes=list_values(unasked))
    if doubled:
        yield rules.CODES_REPEATED.finding(where, codes=list_values(doubled))
    if sorted(codes) == sorted(selected) and codes != selected:
        yield rules.OTHER_ORDER.finding(where)


def _check_rows(sample: Sample) -> Iterator[Finding]:
    if not sample.rows:
        yield rules.NO_ROWS.finding("urlData")
    width = len(sample.header)
    ragged = [(number, len(row)) for number, row in enumerate(sample.rows, 1) if len(row) != width]
    if ragged:
        first = ", ".join(
            say("row {row} has {length}", row=row, length=length) for row, length in ragged[:MAX_OFFENCES]
        )
        yield rules.ROWS_UNEVEN.finding(
            "urlData", count=len(ragged), rows=len(sample.rows), width=width, first=first
        )
