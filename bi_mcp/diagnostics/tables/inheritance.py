"""Names and types that a proposed dataset takes over from one whose table it replaces. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bi_mcp.base.language import say
from bi_mcp.diagnostics.findings.folding import list_some
from bi_mcp.diagnostics.tables.column_pairing import Outer, Pair, pair_columns
from bi_mcp.diagnostics.tables.values import list_values, show_value
from bi_mcp.rest.models import Column


class Inheritance(NamedTuple):
    """The columns of an existing dataset by the external codes of their successors, and what is to be said of it."""

    columns: Mapping[str, Column]
    reasons: list[str]


NOTHING = Inheritance({}, [])


def inherit(dataset_id: int, columns: Sequence[Column], outer: Outer) -> Inheritance:
    """Find the successor of each column: by its code, else by the evidence by which renamed columns are recognised."""
    pairs = pair_columns(columns, outer)
    there = {column.code for column in outer.columns}
    by_code = {column.external_code or "": column for column in columns if column.external_code in there}
    found = {**by_code, **{pair.new.code: pair.column for pair in pairs if pair.ready}}
    kept = {column.id for column in found.values()}
    lost = [column for column in columns if column.id not in kept]
    return Inheritance(found, list(_reasons(dataset_id, by_code, pairs, lost)))


def _reasons(
    dataset_id: int, by_code: Mapping[str, Column], pairs: Sequence[Pair], lost: Sequence[Column]
) -> Iterator[str]:
    if by_code:
        names = list_some(column.name or "" for column in by_code.values())
        yield say("as in dataset {id}, by the same codes: {names}", id=dataset_id, names=names)
    for pair in pairs:
        facts = {"name": pair.column.name, "code": show_value(pair.new.code), "reasons": pair.reasons}
        if pair.ready:
            yield say("column {code!r}: named {name} as in the other dataset, because {reasons}", **facts)
        else:
            yield say("column {code!r}: may be what {name} was ({reasons}); look at it", **facts)
    if lost:
        names = list_values([column.name or "" for column in lost])
        yield say(
            "columns of dataset {id} without a counterpart, which charts will miss: {names}",
            id=dataset_id,
            names=names,
        )
