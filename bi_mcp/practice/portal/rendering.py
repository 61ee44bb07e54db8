"""Rows as the API shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from bi_mcp.config import Generation
from bi_mcp.practice.portal.listing import Listing
from bi_mcp.practice.portal.schema import Schema


def render_row(schema: Schema, row: sqlite3.Row, titles: Iterable[str]) -> dict[str, object]:
    """Return the given fields of a row with the types of the schema; array fields are left to the caller."""
    return {
        title: bool(row[title]) if schema[title].type == "boolean" else row[title]
        for title in titles
        if schema[title].type != "array"
    }


def render_item(
    schema: Schema, row: sqlite3.Row, listing: Listing, generation: Generation
) -> dict[str, object]:
    """Return the listed fields of a row, for an element of a list.

    Lists of the classic generation give ids and other integers as text and booleans as Y and N: the reference allows
    both, so a client must meet both. Newer portals answer an empty object for a moment that `select` names.
    """
    item = render_row(schema, row, listing.titles)
    if generation == "classic":
        return {title: _as_text(value) for title, value in item.items()}
    lost = {title for title in listing.named if title in item and schema[title].type == "datetime"}
    return {title: {} if title in lost else value for title, value in item.items()}


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return str(value) if isinstance(value, int) else value
