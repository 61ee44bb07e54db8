"""Columns of the portal compared with the external columns: vanished, new, renamed and doubled ones."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.dataset.repair_calls import (
    DELETED,
    REPLACED,
    add_columns,
    call_showing_columns,
    delete_columns,
    new_column,
    replace_column,
)
from bi_mcp.diagnostics.findings import dataset_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.external import (
    DatasetContext,
    ExternalColumn,
    find_repeated,
    is_code,
    portal_type,
)
from bi_mcp.diagnostics.tables.naming import column_names
from bi_mcp.diagnostics.tables.values import list_values, show_value
from bi_mcp.rest.models import Column

# The likeness from which a code counts as the new name of another.
ALIKE = 0.75
# Wide tables in which every column was renamed: beyond this many pairs, only folded codes are compared.
MAX_COMPARED = 10_000
# A finding offers to add at most this many columns.
MAX_ADDED = 50

# By whether it is the description that was looked at, and whether charts can use the column.
_VANISHED = {
    (True, True): rules.COLUMN_VANISHED,
    (True, False): rules.HIDDEN_COLUMN_VANISHED,
    (False, True): rules.COLUMN_VANISHED_FROM_DATA,
    (False, False): rules.HIDDEN_COLUMN_VANISHED_FROM_DATA,
}

_OTHER_SIGNS = text(
    "The external column is spelled {code!r}: other spaces or signs, or letters that only look the same."
)
_SIMILAR = text("The external column is gone; {code!r} is new and similar, probably its new name.")

# Cyrillic letters that look like Latin ones.
_LOOKALIKES = str.maketrans("авекмнорстухі", "abekmhopctyxi")


@dataclass(frozen=True)
class ExternalSide:
    """The columns outside by code, from the description where there is one, else from the header of the data."""

    columns: Sequence[ExternalColumn]
    described: bool

    @property
    def codes(self) -> list[str]:
        return [column.code for column in self.columns]


def check_columns(columns: Sequence[Column], outside: ExternalSide, context: DatasetContext) -> list[Finding]:
    """Compare by code. Each lost column is paired with the new one that is most like it, where one is like enough."""
    dataset_id = context.dataset.id
    known = {column.external_code or "" for column in columns}
    lost = [column for column in columns if column.external_code not in set(outside.codes)]
    new = {
        column.code: column for column in outside.columns if is_code(column.code) and column.code not in known
    }
    partners = _partners([column.external_code or "" for column in lost], list(new))
    if len(lost) == len(columns) > 1 and not partners:
        codes = list_values(outside.codes)
        return [rules.ANOTHER_TABLE.finding("columns", columns=len(columns), codes=codes)]
    findings = list[Finding]()
    for column in lost:
        if partner := partners.pop(column.external_code or "", None):
            findings.append(_report_renamed(dataset_id, column, new.pop(partner)))
            continue
        kind = _VANISHED[outside.described, column.visible is not False]
        call = delete_columns(dataset_id, [column.id])
        findings.append(kind.finding(place(column), warning=say(DELETED), call=call))
    findings.extend(_report_new(context, columns, list(new.values())))
    return [*findings, *_report_doubled(outside), *_report_hidden(dataset_id, columns)]


def place(column: Column) -> str:
    """The name of a portal's column in findings."""
    return say("column {name} ({code})", name=column.name, code=show_value(column.external_code or ""))


def fold(code: str) -> str:
    """Reduce a code to the signs that people notice: without case, spaces, signs, invisible characters and look-alike letters."""
    plain = unicodedata.normalize("NFKC", code).casefold().translate(_LOOKALIKES)
    return re.sub(r"[\W_]+", "", plain)


def _partners(lost: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Pair lost codes with new ones, the most alike first, so that no pair takes away the better half of another."""
    if len(lost) * len(new) > MAX_COMPARED:
        by_fold = {fold(code): code for code in new}
        likenesses = [(1.0, code, by_fold[fold(code)]) for code in lost if fold(code) in by_fold]
    else:
        likenesses = [(_likeness(old, code), old, code) for old in lost for code in new]
    partners, paired = dict[str, str](), set[str]()
    for likeness, old, code in sorted(likenesses, key=lambda pair: pair[0], reverse=True):
        if likeness >= ALIKE and old not in partners and code not in paired:
            partners[old] = code
            paired.add(code)
    return partners


def _likeness(old: str, new: str) -> float:
    one, other = fold(old), fold(new)
    if one and one == other:
        return 1.0
    # Numbers distinguish columns: `utm_1` is not the new name of `utm_2`.
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return 0.0
    matcher = SequenceMatcher(None, one, other)
    return matcher.ratio() if min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= ALIKE else 0.0


def _report_renamed(dataset_id: int, column: Column, new: ExternalColumn) -> Finding:
    old = column.external_code or ""
    what = rules.COLUMN_RENAMED.what
    if old.casefold() != new.code.casefold():
        what = _OTHER_SIGNS if fold(old) == fold(new.code) else _SIMILAR
    return rules.COLUMN_RENAMED.finding(
        place(column),
        said=say(what, code=show_value(new.code)),
        warning=say(REPLACED),
        calls=replace_column(dataset_id, column, code=new.code),
    )


def _report_new(
    context: DatasetContext, columns: Sequence[Column], new: Sequence[ExternalColumn]
) -> Iterator[Finding]:
    if not new:
        return
    offered = new[:MAX_ADDED]
    names = column_names(
        [(column.code, column.name) for column in offered], [column.name or "" for column in columns]
    )
    added = [
        new_column(name.name, column.code, portal_type(column.type, context.generation))
        for name, column in zip(names, offered, strict=True)
    ]
    yield rules.COLUMNS_NEW.finding(
        "columns",
        codes=list_values([column.code for column in new]),
        call=add_columns(context.dataset.id, added),
    )


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
