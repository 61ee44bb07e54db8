"""Columns of the portal compared with the external columns: vanished, new, renamed and doubled ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.dataset.expected_values import EXPECTED
from bi_mcp.diagnostics.dataset.repair_calls import (
    DELETED,
    REPLACED,
    add_columns,
    call_showing_columns,
    delete_columns,
    new_column,
    replace_columns,
)
from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.finding import ColumnPlace, Finding
from bi_mcp.diagnostics.tables.column_likeness import fold
from bi_mcp.diagnostics.tables.column_pairing import Outer, Pair, pair_columns
from bi_mcp.diagnostics.tables.external import (
    DatasetContext,
    ExternalColumn,
    find_repeated,
    is_code,
    portal_type,
)
from bi_mcp.diagnostics.tables.naming import column_names
from bi_mcp.diagnostics.tables.retyping import keeps_everything
from bi_mcp.diagnostics.tables.values import COLUMN_TYPES, Judgement, judge, list_values, show_value
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Column

# A finding offers to add at most this many columns.
MAX_ADDED = 50

# By whether it is the description that was looked at, and whether charts can use the column.
_VANISHED = {
    (True, True): rules.COLUMN_VANISHED,
    (True, False): rules.HIDDEN_COLUMN_VANISHED,
    (False, True): rules.COLUMN_VANISHED_FROM_DATA,
    (False, False): rules.HIDDEN_COLUMN_VANISHED_FROM_DATA,
}

_CASE = text("The external column is spelled {code!r}; codes are case-sensitive.")
_OTHER_SIGNS = text(
    "The external column is spelled {code!r}: other spaces or signs, or letters that only look the same."
)


@dataclass(frozen=True)
class ExternalSide:
    """The columns outside by code, from the description where there is one, else from the header of the data.

    `values` are sampled values by code, of columns that the dataset lacks as well.
    """

    columns: Sequence[ExternalColumn]
    described: bool
    values: Mapping[str, Sequence[object]] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        return [column.code for column in self.columns]


def check_columns(columns: Sequence[Column], outside: ExternalSide, context: DatasetContext) -> list[Finding]:
    """Compare by code. A lost column is paired with the new one that is probably the same, where there is one."""
    dataset_id = context.dataset.id
    known = {column.external_code or "" for column in columns}
    lost = [column for column in columns if column.external_code not in set(outside.codes)]
    pairs = pair_columns(columns, Outer(outside.columns, outside.values, context.generation))
    if len(lost) == len(columns) > 1 and not any(pair.ready for pair in pairs):
        codes = list_values(outside.codes)
        return [rules.ANOTHER_TABLE.finding("columns", columns=len(columns), codes=codes)]
    by_id = {pair.column.id: pair for pair in pairs}
    findings = list[Finding]()
    for column in lost:
        if pair := by_id.get(column.id):
            values = outside.values.get(pair.new.code, ())
            findings.append(_report_renamed(dataset_id, pair, values, context.generation))
            continue
        kind = _VANISHED[outside.described, column.visible is not False]
        call = delete_columns(dataset_id, [column.id])
        findings.append(
            kind.finding(place(column), warning=say(DELETED), call=call, about=[column_place(column)])
        )
    named = {code for pair in pairs for code in (pair.new.code, *pair.rivals)}
    new = {
        column.code: column
        for column in outside.columns
        if is_code(column.code) and column.code not in known | named
    }
    findings.extend(_report_new(context, columns, list(new.values())))
    return [*findings, *_report_doubled(outside), *_report_hidden(dataset_id, columns)]


def place(column: Column) -> str:
    """The name of a portal's column in findings."""
    return say("column {name} ({code})", name=column.name, code=show_value(column.external_code or ""))


def column_place(column: Column) -> ColumnPlace:
    """A portal's column as what a finding is about."""
    return ColumnPlace(column.name or "", show_value(column.external_code or ""))


def _report_renamed(
    dataset_id: int, pair: Pair, values: Sequence[object], generation: PortalGeneration
) -> Finding:
    column, code = pair.column, show_value(pair.new.code)
    if not pair.ready:
        return rules.COLUMN_RENAMED_PERHAPS.finding(
            place(column),
            codes=list_values([pair.new.code, *pair.rivals]),
            reasons=pair.reasons,
            advice=rules.COLUMN_RENAMED_PERHAPS.remedy(id=column.id, code=code),
            about=[column_place(column)],
        )
    kind = rules.COLUMN_RENAMED if pair.grade == "sure" else rules.COLUMN_RENAMED_PROBABLY
    said = say(_wording(pair), code=code, reasons=pair.reasons)
    ours = column.type or "string"
    judgement = judge(values, ours)
    if judgement.count:
        said = f"{said} {_describe_unfit(judgement)}"
    type_ = _successor_type(pair, values, generation)
    if type_ is None:
        expected = rules.VALUES_UNFIT.remedy(expected=say(EXPECTED.get(ours, EXPECTED["string"])))
        then = say("Then the column can take the new code; as text it would lose sums or periods.")
        return kind.finding(
            place(column),
            said=said,
            advice=f"{expected} {then}",
            who="connector operator",
            about=[column_place(column)],
        )
    advice = kind.remedy(warning=say(REPLACED))
    change: dict[str, object] = {"id": column.id, "externalCode": pair.new.code}
    if type_ != ours:
        change["type"] = type_
        advice = f"{advice} {say('Its type becomes {type}, which is that of all its values.', type=type_)}"
    return kind.finding(
        place(column),
        said=said,
        advice=advice,
        call=replace_columns(dataset_id, [change]),
        about=[column_place(column)],
    )


def _wording(pair: Pair) -> str:
    old, new = pair.column.external_code or "", pair.new.code
    if pair.grade == "likely":
        return rules.COLUMN_RENAMED_PROBABLY.what
    if old.casefold() == new.casefold():
        return _CASE
    return _OTHER_SIGNS if fold(old) == fold(new) else rules.COLUMN_RENAMED.what


def _successor_type(pair: Pair, values: Sequence[object], generation: PortalGeneration) -> str | None:
    """The type of the column under its new code: its own, unless not one value is of it. None where nothing fits without loss."""
    ours, theirs = pair.column.type or "string", portal_type(pair.new.type, generation)
    if ours not in COLUMN_TYPES:
        return theirs
    if not judge(values, ours).hopeless:
        return ours
    if theirs != "string" and keeps_everything(values, ours, theirs):
        return theirs
    return None


def _describe_unfit(judgement: Judgement) -> str:
    first = judgement.offences[0]
    return say(
        'Of its values, {count} of {filled} are not of the type {declared}, such as "{value}" ({format}).',
        count=judgement.count,
        filled=judgement.filled,
        declared=judgement.declared,
        value=first.value,
        format=first.format,
    )


def _report_new(
    context: DatasetContext, columns: Sequence[Column], new: Sequence[ExternalColumn]
) -> Iterator[Finding]:
    if not new:
        return
    yield rules.COLUMNS_NEW.finding(
        "columns",
        codes=list_values([column.code for column in new]),
        call=offer_columns(context.dataset.id, columns, new, context.generation),
    )


def offer_columns(
    dataset_id: int, columns: Sequence[Column], new: Sequence[ExternalColumn], generation: PortalGeneration
) -> dict[str, object]:
    """The call that adds external columns to a dataset under legal names."""
    offered = new[:MAX_ADDED]
    names = column_names(
        [(column.code, column.name) for column in offered], [column.name or "" for column in columns]
    )
    added = [
        new_column(name.name, column.code, portal_type(column.type, generation))
        for name, column in zip(names, offered, strict=True)
    ]
    return add_columns(dataset_id, added)


def _report_hidden(dataset_id: int, columns: Sequence[Column]) -> Iterator[Finding]:
    hidden = [column for column in columns if column.visible is False]
    if hidden:
        yield rules.COLUMNS_HIDDEN.finding(
            "columns",
            names=list_values([column.name or "" for column in hidden]),
            call=call_showing_columns(dataset_id, [column.id for column in hidden]),
        )


def _report_doubled(outside: ExternalSide) -> Iterator[Finding]:
    if outside.described:
        for code in find_repeated(outside.codes):
            yield rules.CODE_DOUBLED.finding("urlTableDescription", code=show_value(code))
    for group in _near_duplicates(set(outside.codes)):
        where = "urlTableDescription" if outside.described else "urlData"
        yield rules.CODES_ALIKE.finding(where, codes=list_values(group))


def _near_duplicates(codes: Collection[str]) -> list[list[str]]:
    groups = defaultdict[str, list[str]](list)
    for code in sorted(codes):
        groups[fold(code)].append(code)
    return [group for key, group in groups.items() if key and len(group) > 1]
