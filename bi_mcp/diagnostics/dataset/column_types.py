"""The type that a column has on the portal, against the description and against what its values are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.dataset.column_matching import column_place, place
from bi_mcp.diagnostics.dataset.expected_values import EXPECTED
from bi_mcp.diagnostics.dataset.repair_calls import REPLACED, replace_columns
from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding, Kind
from bi_mcp.diagnostics.tables.external import DatasetContext, ExternalColumn, Sample, portal_type
from bi_mcp.diagnostics.tables.retyping import keeps_everything
from bi_mcp.diagnostics.tables.value_hazards import find_hazards
from bi_mcp.diagnostics.tables.values import COLUMN_TYPES, Judgement, Offence, judge, show_value
from bi_mcp.rest.models import Column

# One empty row says nothing about a column.
ROWS_FOR_EMPTY = 2
# More values of one format would only repeat it.
MOST_ALIKE = 2


def check_types(
    columns: Sequence[Column],
    described: Mapping[str, ExternalColumn],
    sample: Sample | None,
    context: DatasetContext,
) -> list[Finding]:
    """Check the type of each column that is also outside. Where values are wrong, the finding is about them and not about the description."""
    findings = list[Finding]()
    for column in columns:
        code = column.external_code or ""
        outside = described.get(code)
        theirs = portal_type(outside.type, context.generation) if outside else None
        values = (sample.columns.get(code) if sample else None) or ()
        if sample and (judgement := judge(values, column.type or "string")).count:
            # The described type where it suits the values, else the one that they look like.
            fitting = theirs if theirs and not judge(values, theirs).count else judgement.fitting
            ready = fitting is not None and keeps_everything(values, column.type or "string", fitting)
            findings.append(
                _offending(context.dataset.id, column, judgement, Retyping(fitting, ready), sample.data_rows)
            )
            continue
        findings.extend(_check_filling(column, values))
        findings.extend(_check_encoding(column, values))
        findings.extend(
            hazard.finding(place(column), column.name or code).model_copy(
                update={"columns": (column_place(column),)}
            )
            for hazard in find_hazards(values, column.type or "string")
        )
        if outside and outside.type not in COLUMN_TYPES:
            types = ", ".join(COLUMN_TYPES)
            findings.append(
                rules.TYPE_UNKNOWN.finding(
                    place(column), type=show_value(outside.type), types=types, about=[column_place(column)]
                )
            )
        if theirs and theirs != column.type:
            findings.append(_disagreement(context.dataset.id, column, theirs, values))
    return findings


def _check_filling(column: Column, values: Sequence[object]) -> Iterator[Finding]:
    kinds = sorted({_kind(value) for value in values} - {""})
    if not kinds and len(values) >= ROWS_FOR_EMPTY:
        yield rules.COLUMN_EMPTY.finding(place(column), rows=len(values), about=[column_place(column)])
    if len(kinds) > 1 and column.type == "string":
        yield rules.VALUES_MIXED.finding(place(column), kinds=", ".join(kinds), about=[column_place(column)])


def _check_encoding(column: Column, values: Sequence[object]) -> Iterator[Finding]:
    misread = [value for value in values if isinstance(value, str) and _is_misread(value)]
    if misread:
        yield rules.LETTERS_BROKEN.finding(
            place(column),
            count=len(misread),
            rows=len(values),
            value=show_value(misread[0]),
            about=[column_place(column)],
        )


def _is_misread(value: str) -> bool:
    """Return whether a text was decoded wrongly: encoded with one byte per letter, its bytes are valid UTF-8, which those of a correct text are not."""
    if value.isascii():
        return False
    for encoding in ("cp1251", "latin-1"):
        try:
            value.encode(encoding).decode()
        except UnicodeError:
            continue
        return True
    return False


def _kind(value: object) -> str:
    """The JSON kind of a value; nothing for an empty one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if isinstance(value, bool):
        return say("true or false")
    return say("texts") if isinstance(value, str) else say("numbers")


class Retyping(NamedTuple):
    """The type that suits all values, None where none does. `ready`: nothing is lost by it."""

    fitting: str | None
    ready: bool


def _offending(
    dataset_id: int, column: Column, judgement: Judgement, retyping: Retyping, data_rows: Sequence[int]
) -> Finding:
    kind = rules.TYPE_UNFIT if judgement.hopeless else rules.VALUES_UNFIT
    what = say(
        kind.what,
        count=judgement.count,
        filled=judgement.filled,
        declared=judgement.declared,
        offences=describe_offences(judgement.offences, data_rows),
    )
    if len(judgement.mixed) > 1:
        mixed = say("Values of mixed kinds: {kinds}.", kinds=", ".join(judgement.mixed))
        what = f"{what} {mixed}"
    ready = retyping.fitting if retyping.ready else None
    change: dict[str, object] = {"id": column.id, "type": ready}
    return kind.finding(
        place(column),
        said=what,
        advice=_advise(kind, judgement.declared, retyping),
        call=replace_columns(dataset_id, [change]) if ready else None,
        who="you" if ready else "connector operator",
        about=[column_place(column)],
    )


def _advise(kind: Kind, declared: str, retyping: Retyping) -> str:
    """The right repair first: another type where nothing is lost by it, else in the connector."""
    expected = say(
        kind.fix if isinstance(kind.fix, str) else "",
        expected=say(EXPECTED.get(declared, EXPECTED["string"])),
    )
    if retyping.ready:
        retyped = str(advise(AdviceKind.REPLACE_TYPE, type=retyping.fitting, warning=say(REPLACED)))
        return f"{retyped} {say('Else: {expected}', expected=expected)}"
    if retyping.fitting and (lost := _LOST.get(declared)):
        return f"{expected} {say(lost, type=retyping.fitting)}"
    return expected


# What a column of a type gives to charts, and another one does not.
_LOST: Mapping[str, str] = {
    **dict.fromkeys(
        ("int", "double", "money"),
        text(
            "Another type does not help: as {type} the column would lose its sums and averages, and no other type of numbers takes these values either."
        ),
    ),
    **dict.fromkeys(
        ("date", "datetime"),
        text("Another type does not help: as {type} the column would lose its periods and date filters."),
    ),
}


def describe_offences(offences: Sequence[Offence], data_rows: Sequence[int]) -> str:
    """`"31.12.2025" in row 3 (d.m.Y)`, one after the other, and a few of each format."""
    formats = Counter[str]()
    shown = list[Offence]()
    for offence in offences:
        formats[offence.format] += 1
        if formats[offence.format] <= MOST_ALIKE:
            shown.append(offence)
    return ", ".join(
        say(
            '"{value}" in row {row} of the data ({format})',
            value=offence.value,
            row=data_rows[offence.row - 1],
            format=offence.format,
        )
        for offence in shown
    )


def _disagreement(dataset_id: int, column: Column, theirs: str, values: Sequence[object]) -> Finding:
    """The portal's type suits the values, or there are none; the description says something else."""
    ours = column.type or "string"
    judgement = judge(values, theirs)
    known = any(value not in (None, "") for value in values)
    what = say(rules.TYPE_DIFFERS.what, ours=ours, theirs=theirs)
    if judgement.count:
        return rules.TYPE_MISDESCRIBED.finding(
            place(column), what=what, ours=ours, format=judgement.formats[0], about=[column_place(column)]
        )
    if known and theirs == "string":
        # Everything fits text.
        return rules.TYPE_TOO_WIDE.finding(place(column), what=what, ours=ours, about=[column_place(column)])
    change: dict[str, object] = {"id": column.id, "type": theirs}
    return rules.TYPE_DIFFERS.finding(
        place(column),
        ours=ours,
        theirs=theirs,
        type=theirs,
        warning=say(REPLACED),
        call=replace_columns(dataset_id, [change]) if keeps_everything(values, ours, theirs) else None,
        about=[column_place(column)],
    )
