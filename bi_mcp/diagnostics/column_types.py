"""The type that a column has on the portal, against the description and against what its values are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bi_mcp.diagnostics.column_matching import place
from bi_mcp.diagnostics.external import DatasetContext, ExternalColumn, Sample, portal_type
from bi_mcp.diagnostics.finding import Finding
from bi_mcp.diagnostics.mending import REPLACED, replace_column
from bi_mcp.diagnostics.values import COLUMN_TYPES, Judgement, Offence, judge, shown
from bi_mcp.language import say, text
from bi_mcp.rest.models import Column

# One empty row says nothing about a column.
ROWS_FOR_EMPTY = 2

EXPECTED: Mapping[str, str] = {
    "int": text("a whole number of at most 64 bits, such as 1200"),
    "double": text("a number with a decimal point and nothing between thousands, such as 1234.5"),
    "money": text("a number with a decimal point and without a currency, such as 1234.5"),
    "date": text("Y-m-d, such as 2025-12-31"),
    "datetime": text("Y-m-d H:i:s in the portal's time zone, such as 2025-12-31 18:30:00"),
    "timezone": text("the name of a time zone, such as Europe/Moscow"),
    "string": text("text"),
}


def check_types(
    columns: Sequence[Column],
    described: Mapping[str, ExternalColumn],
    sample: Sample | None,
    context: DatasetContext,
) -> list[Finding]:
    """Check each column that is outside, too. Where values are wrong, that is told rather than what is described."""
    findings = list[Finding]()
    for column in columns:
        code = column.external_code or ""
        outside = described.get(code)
        theirs = portal_type(outside.type, context.generation) if outside else None
        values = (sample.columns.get(code) if sample else None) or ()
        if sample and (judgement := judge(values, column.type or "string")).count:
            fitting = _fitting(values, theirs, judgement)
            findings.append(_offending(context.dataset.id, column, judgement, fitting, sample.data_rows))
            continue
        findings.extend(_check_filling(column, values))
        if outside and outside.type not in COLUMN_TYPES:
            findings.append(_unknown_type(column, outside))
        if theirs and theirs != column.type:
            findings.append(_disagreement(context.dataset.id, column, theirs, values))
    return findings


def _fitting(values: Sequence[object], theirs: str | None, judgement: Judgement) -> str | None:
    """The described type where it suits the values, else what they look like."""
    return theirs if theirs and not judge(values, theirs).count else judgement.fitting


def _check_filling(column: Column, values: Sequence[object]) -> Iterator[Finding]:
    kinds = sorted({_kind(value) for value in values} - {""})
    if not kinds and len(values) >= ROWS_FOR_EMPTY:
        yield Finding(
            level="note",
            where=place(column),
            what=say("Empty in all {rows} rows of the sample.", rows=len(values)),
            fix=say("Look whether the connector fills it; if it never will, delete or hide the column."),
        )
    if len(kinds) > 1 and column.type == "string":
        yield Finding(
            level="note",
            where=place(column),
            what=say("Values of mixed kinds: {kinds}.", kinds=", ".join(kinds)),
            fix=say("Filters and sorting treat all of them as text. Let the connector answer one kind."),
        )


def _kind(value: object) -> str:
    """What JSON calls a value; nothing for an empty one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if isinstance(value, bool):
        return say("true or false")
    return say("texts") if isinstance(value, str) else say("numbers")


def _offending(
    dataset_id: int, column: Column, judgement: Judgement, fitting: str | None, data_rows: Sequence[int]
) -> Finding:
    expected = EXPECTED.get(judgement.declared, EXPECTED["string"])
    what = say(
        "{count} of {filled} values are no {declared}: {offences}.",
        count=judgement.count,
        filled=judgement.filled,
        declared=judgement.declared,
        offences=told(judgement.offences, data_rows),
    )
    if len(judgement.mixed) > 1:
        mixed = say("Kinds mixed: {kinds}.", kinds=", ".join(judgement.mixed))
        what = f"{what} {mixed}"
    fix = say("Let the connector answer {expected}.", expected=say(expected))
    if fitting:
        fix = f"{fix} {_retyping(fitting)}"
    return Finding(
        level="error" if judgement.hopeless else "warning",
        where=place(column),
        what=what,
        fix=fix,
        calls=replace_column(dataset_id, column, column_type=fitting) if fitting else None,
    )


def _retyping(fitting: str) -> str:
    return say(
        "Or delete the column and add it again as {type}, in two calls. {warning}",
        type=fitting,
        warning=say(REPLACED),
    )


def told(offences: Sequence[Offence], data_rows: Sequence[int]) -> str:
    """`"31.12.2025" in row 3 (d.m.Y)`, one after the other."""
    return ", ".join(
        say(
            '"{value}" in row {row} of the data ({format})',
            value=offence.value,
            row=data_rows[offence.row - 1],
            format=offence.format,
        )
        for offence in offences
    )


def _disagreement(dataset_id: int, column: Column, theirs: str, values: Sequence[object]) -> Finding:
    """The portal's type suits the values, or there are none; the description says something else."""
    ours = column.type or "string"
    what = say("The column is {ours} here and {theirs} in urlTableDescription.", ours=ours, theirs=theirs)
    judgement = judge(values, theirs)
    if judgement.count:
        return Finding(
            level="warning",
            where=place(column),
            what=say(
                "{what} The values are {ours}, so the description is wrong: {format}.",
                what=what,
                ours=ours,
                format=judgement.formats[0],
            ),
            fix=say("Let urlTableDescription answer {ours} for this column.", ours=ours),
        )
    return Finding(
        level="warning",
        where=place(column),
        what=what,
        fix=say(
            "If outside is right, delete the column and add it again as {theirs}, in two calls. {warning}",
            theirs=theirs,
            warning=say(REPLACED),
        ),
        calls=replace_column(dataset_id, column, column_type=theirs),
    )


def _unknown_type(column: Column, described: ExternalColumn) -> Finding:
    return Finding(
        level="note",
        where=place(column),
        what=say(
            "urlTableDescription calls its type {type!r}, which Bitrix24 does not know and takes for string.",
            type=shown(described.type),
        ),
        fix=say(
            "Let the connector answer one of {types}, in small letters.",
            types=", ".join(COLUMN_TYPES),
        ),
    )
