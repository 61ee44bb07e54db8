"""The type that a column has on the portal, against the description and against what its values are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bi_mcp.diagnostics.column_matching import place
from bi_mcp.diagnostics.external import ExternalColumn, Sample
from bi_mcp.diagnostics.finding import Finding
from bi_mcp.diagnostics.mending import CHARTS, replace_column
from bi_mcp.diagnostics.values import COLUMN_TYPES, Judgement, Offence, judge
from bi_mcp.rest.models import Column

# One empty row says nothing about a column.
ROWS_FOR_EMPTY = 2

EXPECTED: Mapping[str, str] = {
    "int": "a whole number of at most 64 bits, such as 1200",
    "double": "a number with a decimal point and nothing between thousands, such as 1234.5",
    "money": "a number with a decimal point and without a currency, such as 1234.5",
    "date": "Y-m-d, such as 2025-12-31",
    "datetime": "Y-m-d H:i:s in the portal's time zone, such as 2025-12-31 18:30:00",
    "timezone": "the name of a time zone, such as Europe/Moscow",
    "string": "text",
}


def check_types(
    dataset_id: int,
    columns: Sequence[Column],
    described: Mapping[str, ExternalColumn],
    sample: Sample | None,
) -> list[Finding]:
    """Check each column that is outside, too. Where values are wrong, that is told rather than what is described."""
    findings = list[Finding]()
    for column in columns:
        code = column.external_code or ""
        values = sample.columns.get(code) if sample else None
        judgement = None if values is None else judge(values, column.type or "string")
        findings.extend(_check_values(dataset_id, column, judgement, sample))
        if code in described and not (judgement and judgement.count):
            findings.extend(_check_description(dataset_id, column, described[code], values))
    return findings


def _check_values(
    dataset_id: int, column: Column, judgement: Judgement | None, sample: Sample | None
) -> Iterator[Finding]:
    if judgement is None or sample is None:
        return
    if judgement.count:
        yield _offending(dataset_id, column, judgement, sample.data_rows)
    elif judgement.empty and len(sample.data_rows) >= ROWS_FOR_EMPTY:
        yield Finding(
            level="note",
            where=place(column),
            what=f"Empty in all {len(sample.data_rows)} rows of the sample.",
            fix="Look whether the connector fills it; if it never will, delete or hide the column.",
        )
    elif len(judgement.mixed) > 1 and column.type == "string":
        yield Finding(
            level="note",
            where=place(column),
            what=f"Values of mixed kinds: {', '.join(judgement.mixed)}.",
            fix="Filters and sorting treat all of them as text. Let the connector answer one kind.",
        )


def _offending(dataset_id: int, column: Column, judgement: Judgement, data_rows: Sequence[int]) -> Finding:
    expected = EXPECTED.get(judgement.declared, EXPECTED["string"])
    mixed = f" Kinds mixed: {', '.join(judgement.mixed)}." if len(judgement.mixed) > 1 else ""
    fitting = judgement.fitting
    retype = f" Or delete the column and add it again as {fitting}, in two calls. {CHARTS}" if fitting else ""
    return Finding(
        level="error" if judgement.hopeless else "warning",
        where=place(column),
        what=f"{judgement.count} of {judgement.filled} values are no {judgement.declared}: "
        f"{told(judgement.offences, data_rows)}.{mixed}",
        fix=f"Let the connector answer {expected}.{retype}",
        calls=replace_column(dataset_id, column, column_type=fitting) if fitting else None,
    )


def told(offences: Sequence[Offence], data_rows: Sequence[int]) -> str:
    """`"31.12.2025" in row 3 (d.m.Y)`, one after the other."""
    return ", ".join(
        f'"{offence.value}" in row {data_rows[offence.row - 1]} of the data ({offence.format})'
        for offence in offences
    )


def _check_description(
    dataset_id: int, column: Column, described: ExternalColumn, values: Sequence[object] | None
) -> Iterator[Finding]:
    """The portal's type suits the values, or there are none; does the description agree?"""
    ours = column.type or "string"
    if described.type not in COLUMN_TYPES:
        yield _unknown_type(column, described)
    theirs = described.type if described.type in COLUMN_TYPES else "string"
    if ours == theirs:
        return
    judgement = judge(values or [], theirs)
    what = f"The column is {ours} here and {theirs} in urlTableDescription."
    if judgement.count:
        yield Finding(
            level="warning",
            where=place(column),
            what=f"{what} The values are {ours}, so the description is wrong: {judgement.formats[0]}.",
            fix=f"Let urlTableDescription answer {ours} for {column.external_code}.",
        )
        return
    yield Finding(
        level="warning",
        where=place(column),
        what=what,
        fix=f"If outside is right, delete the column and add it again as {theirs}, in two calls. {CHARTS}",
        calls=replace_column(dataset_id, column, column_type=theirs),
    )


def _unknown_type(column: Column, described: ExternalColumn) -> Finding:
    return Finding(
        level="warning",
        where=place(column),
        what=f"urlTableDescription calls its type {described.type[:40]!r}, which Bitrix24 does not know and takes for string.",
        fix=f"Let the connector answer one of {', '.join(COLUMN_TYPES)}, in small letters.",
    )
