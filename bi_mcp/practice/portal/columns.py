"""The columns of a dataset: their rules, their rows, and the work of `fields.update`."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bi_mcp.config import Generation
from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.parameters import as_boolean, as_integer, as_mapping, as_sequence
from bi_mcp.practice.portal.schema import COLUMN_TYPES
from bi_mcp.practice.portal.validation import duplicates, invalid_type

TABLES = """
CREATE TABLE IF NOT EXISTS dataset_columns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    datasetId INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    externalCode TEXT NOT NULL,
    visible INTEGER NOT NULL DEFAULT 1,
    UNIQUE (datasetId, name),
    UNIQUE (datasetId, externalCode)
);
"""

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_NAME_LENGTH = 32

_Refusal: TypeAlias = tuple[str, str]

_INCOMPLETE: _Refusal = (
    "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS",
    'Field must include the required parameters: "name", "externalCode" and "type".',
)
_ADD_INCOMPLETE: _Refusal = (
    "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS",
    'Field to be added must include the required parameters: "name", "externalCode" and "type".',
)
_UPDATE_INCOMPLETE: _Refusal = (
    "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS",
    'Field to be updated must include the required parameters: "id" and "visible".',
)
_INVALID_DELETE: _Refusal = (
    "VALIDATION_FIELD_DELETE_INVALID_ID",
    "ID to be deleted must be a positive integer.",
)


@dataclass(frozen=True)
class StoredColumn:
    """A column to create. Other keys are ignored: `visible` cannot be set on creation."""

    name: str
    external_code: str
    type: str


@dataclass(frozen=True)
class StoredColumnChanges:
    """A checked `fields.update`: columns to add, `{column id: visible}`, column ids to delete."""

    add: Sequence[StoredColumn]
    update: Mapping[int, bool]
    delete: Sequence[int]


def parse_stored_columns(given: object, generation: Generation) -> list[StoredColumn]:
    """Check the columns of a new dataset."""
    columns = [_parse_column(column, generation, _INCOMPLETE) for column in as_sequence(given) or []]
    names = duplicates(column.name for column in columns)
    if names and generation == "tables":
        raise ModuleFault("DUPLICATE_FIELDS", f"Duplicate column names: {', '.join(names)}.")
    _refuse_duplicates(columns)
    return columns


def parse_changes(parameters: Mapping[str, object], generation: Generation) -> StoredColumnChanges:
    """Check everything that can be checked without the dataset; nothing is saved unless all is valid."""
    added = [_parse_column(column, generation, _ADD_INCOMPLETE) for column in _sequence(parameters, "add")]
    _refuse_duplicates(added)
    return StoredColumnChanges(
        add=added,
        update=dict(_parse_update(change) for change in _sequence(parameters, "update")),
        delete=[_parse_deletion(column_id) for column_id in _sequence(parameters, "delete")],
    )


def apply_changes(connection: sqlite3.Connection, dataset_id: int, changes: StoredColumnChanges) -> None:
    """Update, add, delete, in this order. An added column is compared with those from before the call, so a column cannot
    be replaced by another of its name within one call.

    The vendor looks for columns to delete by their ids alone: the id of another dataset's column deletes it there. An
    update of such a column is passed over.
    """
    rows = column_rows(connection, dataset_id)
    _refuse_existing("externalCode", rows, [column.external_code for column in changes.add])
    _refuse_existing("name", rows, [column.name for column in changes.add])
    for column_id in {row["id"] for row in rows}.intersection(changes.update):
        records.change(connection, "dataset_columns", column_id, {"visible": changes.update[column_id]})
    insert_columns(connection, dataset_id, changes.add)
    for column_id in changes.delete:
        records.delete(connection, "dataset_columns", "id = ?", [column_id])


def insert_columns(connection: sqlite3.Connection, dataset_id: int, columns: Iterable[StoredColumn]) -> None:
    for column in columns:
        values = {
            "datasetId": dataset_id,
            "type": column.type,
            "name": column.name,
            "externalCode": column.external_code,
        }
        records.insert(connection, "dataset_columns", values)


def column_rows(connection: sqlite3.Connection, dataset_id: int) -> list[sqlite3.Row]:
    return records.select(connection, "dataset_columns", "datasetId = ? ORDER BY id", [dataset_id])


def shown_columns(connection: sqlite3.Connection, dataset_id: int) -> list[dict[str, object]]:
    return [
        {
            "id": row["id"],
            "datasetId": row["datasetId"],
            "type": row["type"],
            "name": row["name"],
            "description": "",
            "externalCode": row["externalCode"],
            "visible": bool(row["visible"]),
        }
        for row in column_rows(connection, dataset_id)
    ]


def _sequence(parameters: Mapping[str, object], name: str) -> list[object]:
    given = parameters.get(name)
    sequence = as_sequence([] if given is None else given)
    if sequence is None:
        raise invalid_type(name, "array")
    return sequence


def _parse_column(given: object, generation: Generation, incomplete: _Refusal) -> StoredColumn:
    texts = as_mapping(given) or {}
    name, code, column_type = (str(texts.get(key) or "") for key in ("name", "externalCode", "type"))
    if not (name and code and column_type):
        raise ModuleFault(*incomplete)
    if len(name) > _NAME_LENGTH:
        raise ModuleFault("VALIDATION_FIELD_NAME_TOO_LONG", 'Field "name" must not exceed 32 characters.')
    if not _NAME.fullmatch(name):
        raise ModuleFault(
            "VALIDATION_FIELD_NAME_INVALID_FORMAT",
            'Field "name" has to start with an uppercase Latin character. Possible entry includes uppercase Latin '
            "characters (A-Z), numbers (0-9) and underscores.",
        )
    if column_type not in COLUMN_TYPES[generation]:
        raise ModuleFault("VALIDATION_FIELD_INVALID_TYPE", "Invalid field type.")
    return StoredColumn(name, code, column_type)


def _parse_update(given: object) -> tuple[int, bool]:
    change = as_mapping(given) or {}
    column_id = as_integer(change.get("id"))
    if column_id is None or "visible" not in change:
        raise ModuleFault(*_UPDATE_INCOMPLETE)
    visible = as_boolean(change["visible"])
    if visible is None:
        raise invalid_type("visible", "boolean")
    return column_id, visible


def _parse_deletion(given: object) -> int:
    column_id = as_integer(given)
    if column_id is None or column_id < 1:
        raise ModuleFault(*_INVALID_DELETE)
    return column_id


def _refuse_duplicates(columns: Sequence[StoredColumn]) -> None:
    parameters = {
        "code": [column.external_code for column in columns],
        "name": [column.name for column in columns],
    }
    for parameter, values in parameters.items():
        repeated = duplicates(values)
        if repeated:
            raise ModuleFault(
                f"VALIDATION_DUPLICATE_FIELD_{parameter.upper()}",
                f'Duplicate values found in the "{parameter}" parameter: {", ".join(repeated)}',
            )


def _refuse_existing(parameter: str, rows: Iterable[sqlite3.Row], values: Iterable[str]) -> None:
    existing = {row[parameter] for row in rows}
    taken = [value for value in values if value in existing]
    if taken:
        raise ModuleFault(
            _EXISTING[parameter],
            f'The following "{parameter}" values already exist in the current fields: {", ".join(taken)}',
        )


_EXISTING = {
    "externalCode": "VALIDATION_DUPLICATE_EXIST_CODE",
    "name": "VALIDATION_DUPLICATE_EXIST_NAME",
}
