"""A dataset for an external table: the `fields` that `dataset_add` takes, and why they differ from what is outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bi_mcp.diagnostics.external import (
    MAX_CODE,
    ExternalColumn,
    Generation,
    Sample,
    is_code,
    portal_type,
    repeated,
)
from bi_mcp.diagnostics.naming import LegalName, column_names, dataset_name
from bi_mcp.diagnostics.values import COLUMN_TYPES, Judgement, judge, shown
from bi_mcp.errors import InvalidRequestError


class Proposal(NamedTuple):
    """`fields` is valid for `dataset_add` as it stands. `reasons` tell what was changed or left out."""

    fields: dict[str, object]
    reasons: list[str]


def propose(
    table_code: str,
    title: str,
    columns: Sequence[ExternalColumn],
    sample: Sample | None,
    source_id: int,
    taken_names: Iterable[str] = (),
    generation: Generation = "tables",
) -> Proposal:
    """Propose a dataset. `taken_names` are the names of the portal's datasets. Raises `InvalidRequestError` when no dataset
    can be made of the table at all.
    """
    if not is_code(table_code):
        raise InvalidRequestError(
            f"A portal cannot hold the table's code {shown(table_code)!r}: it is blank, longer than {MAX_CODE} characters, "
            "or broken text. Let the connector answer another."
        )
    name = dataset_name(table_code, title, taken_names)
    reasons = list(_naming_reasons("dataset", table_code, name))
    usable = _usable(columns, reasons)
    if not usable:
        raise InvalidRequestError(f"The table {shown(table_code)!r} has no column that a dataset could hold.")
    fields: dict[str, object] = {
        "name": name.name,
        "sourceId": source_id,
        "externalCode": table_code,
        "externalName": title.strip()[:MAX_CODE] if is_code(title[:MAX_CODE]) else table_code,
        "fields": _propose_columns(usable, sample, generation, reasons),
    }
    return Proposal(fields, reasons)


def _usable(columns: Sequence[ExternalColumn], reasons: list[str]) -> list[ExternalColumn]:
    """Leave out what a portal refuses."""
    usable = dict[str, ExternalColumn]()
    for number, column in enumerate(columns, 1):
        if is_code(column.code):
            usable.setdefault(column.code, column)
        else:
            reasons.append(
                f"column {number}: left out, since a portal cannot hold its code {shown(column.code)!r}"
            )
    reasons.extend(
        f"column {shown(code)!r}: described more than once, the first is taken"
        for code in repeated([column.code for column in columns])
        if code in usable
    )
    return list(usable.values())


def _propose_columns(
    columns: Sequence[ExternalColumn], sample: Sample | None, generation: Generation, reasons: list[str]
) -> list[dict[str, str]]:
    proposed = list[dict[str, str]]()
    values = sample.columns if sample else {}
    names = column_names([(column.code, column.name) for column in columns])
    for column, name in zip(columns, names, strict=True):
        reasons.extend(_naming_reasons("column", column.code, name))
        type_, why = _propose_type(column, judge(values.get(column.code, ()), column.type), generation)
        reasons.extend(f"column {name.name}: {reason}" for reason in why)
        proposed.append({"name": name.name, "externalCode": column.code, "type": type_})
    return proposed


def _naming_reasons(kind: str, code: str, name: LegalName) -> Iterator[str]:
    # That a column's name is in capitals is so everywhere, and needs no reason.
    if name.reasons and name.name.casefold() != code.casefold():
        yield f"{kind} {shown(code)!r}: named {name.name}; {', '.join(name.reasons)}"


def _propose_type(
    column: ExternalColumn, judgement: Judgement, generation: Generation
) -> tuple[str, list[str]]:
    """The described type, unless the portal does not know it or the values contradict it."""
    type_, reasons = column.type, list[str]()
    if type_ not in COLUMN_TYPES:
        return "string", [f"type string, since {shown(type_)!r} is no type of Bitrix24"]
    if judgement.count:
        first = judgement.offences[0]
        type_ = judgement.fitting or "string"
        reasons.append(
            f"type {type_} instead of {column.type}: {judgement.count} of {judgement.filled} sampled values are no "
            f'{column.type}, such as "{first.value}" ({first.format})'
        )
    if portal_type(type_, generation) != type_:
        reasons.append(f"type {portal_type(type_, generation)}, since this portal does not know {type_}")
    return portal_type(type_, generation), reasons
