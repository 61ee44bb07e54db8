"""A dataset for an external table: the `fields` that `dataset_add` takes, and why they differ from the external table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bi_mcp.base.language import say, say_count, text
from bi_mcp.diagnostics.tables.external import (
    MAX_CODE,
    ExternalColumn,
    Sample,
    find_repeated,
    is_code,
    portal_type,
)
from bi_mcp.diagnostics.tables.inheritance import NOTHING, Inheritance
from bi_mcp.diagnostics.tables.naming import LegalName, column_names, dataset_name
from bi_mcp.diagnostics.tables.values import COLUMN_TYPES, judge, list_values, show_value
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Column


class ExistingDataset(NamedTuple):
    """A dataset of the same table. `missing` are codes that it lacks, `call` adds them."""

    id: int
    name: str
    missing: tuple[str, ...] = ()
    call: dict[str, object] | None = None

    @property
    def told(self) -> str:
        """What is said of it."""
        if not self.missing:
            return say(
                "The table is a dataset already: {id} ({name}). It has every column.",
                id=self.id,
                name=self.name,
            )
        return say(
            "The table is a dataset already: {id} ({name}). It lacks {codes}; to add these is enough.",
            id=self.id,
            name=self.name,
            codes=list_values(self.missing),
        )


class Proposal(NamedTuple):
    """A proposed dataset. `fields` is valid for `dataset_add` without changes. `reasons` explain changes and omissions."""

    fields: dict[str, object]
    reasons: list[str]
    existing: tuple[ExistingDataset, ...] = ()


class Wanted(NamedTuple):
    """What is known beside the table: the name of the dataset, what is inherited, and whether a chart finds the columns by the proposed names."""

    name: str | None = None
    inherited: Inheritance = NOTHING
    names_work: bool = False


def propose_fields(
    table_code: str,
    title: str,
    columns: Sequence[ExternalColumn],
    sample: Sample | None,
    source_id: int,
    taken_names: Iterable[str] = (),
    generation: PortalGeneration = "tables",
    wanted: Wanted = Wanted(),  # noqa: B008  immutable
) -> Proposal:
    """Propose a dataset. `taken_names` are the names of the portal's datasets; what is inherited keeps its name and type. Raises `InvalidRequestError` when no dataset
    can be made of the table at all.
    """
    if not is_code(table_code):
        raise InvalidRequestError(
            say(
                "A portal cannot hold the table's code {code!r}: it is blank, longer than {most} characters, or broken text. Let the connector return another one.",
                code=show_value(table_code),
                most=MAX_CODE,
            )
        )
    name = dataset_name(wanted.name or table_code, "" if wanted.name else title, taken_names)
    reasons = list(
        _naming_reasons(text("dataset {code!r}: named {name}; {reasons}"), wanted.name or table_code, name)
    )
    usable = _usable(columns, reasons)
    if not usable:
        raise InvalidRequestError(
            say(
                "The table {code!r} has no column that a dataset could hold. Let the connector describe one with a code and a title.",
                code=show_value(table_code),
            )
        )
    fields: dict[str, object] = {
        "name": name.name,
        "sourceId": source_id,
        "externalCode": table_code,
        "externalName": title.strip()[:MAX_CODE] if is_code(title[:MAX_CODE]) else table_code,
        "fields": _propose_columns(usable, sample, generation, reasons, wanted),
    }
    return Proposal(fields, [*wanted.inherited.reasons, *reasons])


def tell_checked(sample: Sample | None) -> Iterator[str]:
    """Say on how many rows the types were checked."""
    if sample is not None and sample.rows:
        yield say_count(
            "types checked on the values of {count} row",
            "types checked on the values of {count} rows",
            len(sample.rows),
        )
    elif sample is not None:
        yield say("types not checked: there are no rows")
    else:
        yield say("types not checked: the values could not be read")


def _usable(columns: Sequence[ExternalColumn], reasons: list[str]) -> list[ExternalColumn]:
    """Leave out what a portal refuses."""
    usable = dict[str, ExternalColumn]()
    for number, column in enumerate(columns, 1):
        if is_code(column.code):
            usable.setdefault(column.code, column)
        else:
            reasons.append(
                say(
                    "column {number}: left out, because a portal cannot hold its code {code!r}",
                    number=number,
                    code=show_value(column.code),
                )
            )
    reasons.extend(
        say("column {code!r}: described more than once, the first is used", code=show_value(code))
        for code in find_repeated([column.code for column in columns])
        if code in usable
    )
    return list(usable.values())


def _propose_columns(
    columns: Sequence[ExternalColumn],
    sample: Sample | None,
    generation: PortalGeneration,
    reasons: list[str],
    wanted: Wanted,
) -> list[dict[str, str]]:
    inherited = wanted.inherited.columns
    proposed = list[dict[str, str]]()
    values = sample.columns if sample else {}
    names = _name_columns(columns, inherited)
    for column, name in zip(columns, names, strict=True):
        reasons.extend(_naming_reasons(text("column {code!r}: named {name}; {reasons}"), column.code, name))
        type_, why = _keep_type(inherited.get(column.code), column, values.get(column.code, ()), generation)
        reasons.extend(say("column {name}: {reason}", name=name.name, reason=reason) for reason in why)
        proposed.append({"name": name.name, "externalCode": column.code, "type": type_})
    differing = list(_differing(columns, [name.name for name in names]))
    if differing and wanted.names_work:
        differing = [say("checked: the connector finds the columns by these names")]
    reasons.extend(differing)
    return proposed


def _name_columns(columns: Sequence[ExternalColumn], inherited: Mapping[str, Column]) -> list[LegalName]:
    kept = {code: LegalName(column.name) for code, column in inherited.items() if column.name}
    others = [column for column in columns if column.code not in kept]
    named = column_names(
        [(column.code, column.name) for column in others], [name.name for name in kept.values()]
    )
    by_code = {**kept, **{column.code: name for column, name in zip(others, named, strict=True)}}
    return [by_code[column.code] for column in columns]


def _keep_type(
    old: Column | None, column: ExternalColumn, values: Sequence[object], generation: PortalGeneration
) -> tuple[str, list[str]]:
    """The type that charts know, unless the values contradict it."""
    ours = (old.type or "") if old else ""
    if ours not in COLUMN_TYPES or portal_type(ours, generation) != ours:
        return _propose_type(column, values, generation)
    return _propose_type(replace(column, type=ours), values, generation)


def _differing(columns: Sequence[ExternalColumn], names: Sequence[str]) -> Iterator[str]:
    """Explain the effect where a name is not the code: charts ask by name."""
    pairs = [(column.code, name) for column, name in zip(columns, names, strict=True) if column.code != name]
    capitals = [f"{code} → {name}" for code, name in pairs if code.upper() == name]
    others = [f"{code} → {name}" for code, name in pairs if code.upper() != name]
    if capitals:
        yield say(
            "names are the codes in capital letters ({pairs}): charts ask by name, so the connector must find a code in upper or lower case",
            pairs=list_values(capitals),
        )
    if others:
        yield say(
            "names differ from the codes ({pairs}): charts ask by name, so the connector must understand mapFields, and a portal that does not send it shows empty charts",
            pairs=list_values(others),
        )


def _naming_reasons(reason: str, code: str, name: LegalName) -> Iterator[str]:
    # That a column's name is in capitals is so everywhere, and needs no reason.
    if name.reasons and name.name.casefold() != code.casefold():
        yield say(reason, code=show_value(code), name=name.name, reasons=", ".join(name.reasons))


def _propose_type(
    column: ExternalColumn, values: Sequence[object], generation: PortalGeneration
) -> tuple[str, list[str]]:
    """The described type, unless the portal does not know it or the values contradict it."""
    type_, reasons = column.type.lower(), list[str]()
    if type_ not in COLUMN_TYPES:
        return "string", [
            say("type string, because {type!r} is not a type of Bitrix24", type=show_value(column.type))
        ]
    judgement = judge(values, type_)
    if judgement.count:
        first = judgement.offences[0]
        type_ = judgement.fitting or "string"
        reasons.append(
            say(
                'type {type} instead of {described}: {count} of {filled} sampled values are not of the type {described}, such as "{value}" ({format})',
                type=type_,
                described=column.type,
                count=judgement.count,
                filled=judgement.filled,
                value=first.value,
                format=first.format,
            )
        )
    if portal_type(type_, generation) != type_:
        reasons.append(
            say(
                "type {used}, because this portal does not know {type}",
                used=portal_type(type_, generation),
                type=type_,
            )
        )
    return portal_type(type_, generation), reasons
