"""The tool calls that findings offer: complete, to be made unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from bi_mcp.base.language import text

Call: TypeAlias = dict[str, object]

# What the reader must know before calls that delete columns.
DELETED = text("Charts and filters in BI Builder that use it break.")
REPLACED = text(
    "Charts find a column again by its name. Between the two requests, for a moment, it is missing: look at charts and filters afterwards."
)


def call(tool: str, **arguments: object) -> Call:
    return {"tool": tool, "arguments": arguments}


def add_columns(dataset_id: int, columns: Sequence[Mapping[str, str]]) -> Call:
    return call("dataset_fields_update", id=dataset_id, add=[dict(column) for column in columns])


def delete_columns(dataset_id: int, column_ids: Sequence[int]) -> Call:
    return call("dataset_fields_update", id=dataset_id, delete=list(column_ids))


def call_showing_columns(dataset_id: int, column_ids: Sequence[int]) -> Call:
    visible = [{"id": column_id, "visible": True} for column_id in column_ids]
    return call("dataset_fields_update", id=dataset_id, update=visible)


def new_column(name: str, code: str, column_type: str) -> dict[str, str]:
    return {"name": name, "externalCode": code, "type": column_type}


def replace_columns(dataset_id: int, changes: Sequence[Mapping[str, object]]) -> Call:
    """Give columns other codes or types. They keep their names, by which charts find them."""
    return call("dataset_columns_replace", id=dataset_id, columns=[dict(change) for change in changes])
