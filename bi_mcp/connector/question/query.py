"""The question of a request, read from its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.question.filter import list_items
from bi_mcp.connector.refusal import RefusalError

_LIMIT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class RowQuery:
    """A choice of columns and rows of a table. An empty `select` means all columns, `limit` None all rows.

    `codes` leads from the names of the dataset's columns (`mapFields`) to the external codes; older portals send none.
    `culture` settles how slashed dates in `filter` are read.
    """

    select: tuple[str, ...]
    filter: Form
    limit: int | None
    codes: Mapping[str, str]
    culture: Culture | None = None


def parse_query(form: Form, culture: Culture | None = None) -> RowQuery:
    names = _map(form, "mapFields")
    return RowQuery(
        select=_select(form),
        filter=_map(form, "filter"),
        limit=_limit(form),
        codes={name: code for code, name in names.items() if isinstance(name, str)},
        culture=culture,
    )


def parse_text(form: Form, name: str) -> str:
    """Read a plain parameter; "" when it is missing."""
    value = form.get(name, "")
    if isinstance(value, str):
        return value
    raise RefusalError(400, f"The parameter {name} takes one value.")


def parse_table(form: Form) -> str:
    table = parse_text(form, "table")
    if not table:
        raise RefusalError(400, "The parameter table is missing.")
    return table


def _map(form: Form, name: str) -> Form:
    value = form.get(name) or {}
    if isinstance(value, dict):
        return value
    raise RefusalError(400, f"The parameter {name} must use brackets, as in {name}[…]=….")


def _select(form: Form) -> tuple[str, ...]:
    listed = list_items(_map(form, "select"))
    names = tuple(name for name in listed if isinstance(name, str))
    if len(names) < len(listed):
        raise RefusalError(400, "The parameter select takes a list of column names.")
    return names


def _limit(form: Form) -> int | None:
    text = parse_text(form, "limit").strip()
    if not text:
        return None
    if _LIMIT.fullmatch(text):
        return int(text)
    raise RefusalError(400, f"The limit must be a whole number of rows, not {text[:80]!r}.")
