"""`select`, `filter`, `order` and `page` of the list methods."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.config import Generation
from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault, SystemFault
from bi_mcp.practice.portal.filters import Condition, parse_filter
from bi_mcp.practice.portal.parameters import as_integer, as_mapping, as_sequence
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.schema import Schema

PAGE_SIZE = 50

# Repeatable and far from the order of ids: a client that walks pages without an order must notice in its tests.
_NO_PARTICULAR_ORDER = "(id * 40503) % 65536, id"
_DIRECTIONS = frozenset({"ASC", "DESC"})


@dataclass(frozen=True)
class Listing:
    """Request of one list call. `titles` are the selected fields, `named` those that `select` names one by one."""

    titles: list[str]
    named: frozenset[str]
    condition: Condition
    order: str
    page: int

    def rows(self, connection: sqlite3.Connection, table: str, reach: Reach) -> list[sqlite3.Row]:
        sql, arguments = self.condition
        within, limits = reach.condition
        return records.select(
            connection,
            table,
            f"{within} AND ({sql}) ORDER BY {self.order} LIMIT ? OFFSET ?",
            [*limits, *arguments, PAGE_SIZE, (self.page - 1) * PAGE_SIZE],
        )


def parse_listing(schema: Schema, parameters: Mapping[str, object], generation: Generation) -> Listing:
    """Parse a list request. Raises the `VALIDATION_…` faults, and HTTP 400 `ERROR_ARGUMENT` for a wrong direction."""
    select = parameters.get("select")
    page = as_integer(parameters.get("page"))
    return Listing(
        titles=_select(schema, select),
        named=frozenset(str(name) for name in as_sequence(select) or ()),
        condition=parse_filter(schema, _array(parameters, "filter"), generation),
        order=_order(schema, _array(parameters, "order")),
        # The bound keeps the offset within SQLite's integers.
        page=page if page is not None and 0 < page < 2**48 else 1,
    )


def _select(schema: Schema, select: object) -> list[str]:
    listed = [title for title in schema if title != "fields"]
    names = as_sequence([] if select is None else select)
    if names is None:
        raise _not_an_array("select")
    for name in names:
        if not isinstance(name, str) or (name != "*" and name not in schema):
            raise _not_allowed(str(name), "select")
    wanted = [title for title in listed if title in names]
    return wanted if wanted and "*" not in names else listed


def _array(parameters: Mapping[str, object], name: str) -> Mapping[str, object]:
    given = parameters.get(name)
    mapping = as_mapping({} if given is None else given)
    if mapping is None:
        raise _not_an_array(name)
    return mapping


def _order(schema: Schema, order: Mapping[str, object]) -> str:
    terms: list[str] = []
    for title, given in order.items():
        if title not in schema or schema[title].type == "array":
            raise _not_allowed(title, "order")
        direction = str(given).upper()
        if direction not in _DIRECTIONS:
            raise SystemFault(400, "ERROR_ARGUMENT", f'Invalid order "{given}"')
        terms.append(f'"{title}" {direction}')
    return ", ".join([*terms, _NO_PARTICULAR_ORDER])


def _not_an_array(name: str) -> ModuleFault:
    return ModuleFault(f"VALIDATION_{name.upper()}_TYPE", f'Parameter "{name}" must be array.')


def _not_allowed(title: str, place: str) -> ModuleFault:
    return ModuleFault(
        f"VALIDATION_FIELD_NOT_ALLOWED_IN_{place.upper()}",
        f'Field "{title}" is not allowed in the "{place}".',
    )
