"""`biconnector.dataset.*` and `biconnector.table.*`: two families of methods on one storage."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping

from bi_mcp.config import Generation
from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault, SystemFault
from bi_mcp.practice.portal.columns import TABLES as COLUMN_TABLES
from bi_mcp.practice.portal.columns import (
    StoredColumn,
    apply_changes,
    insert_columns,
    parse_changes,
    parse_stored_columns,
    shown_columns,
)
from bi_mcp.practice.portal.context import Call, Context
from bi_mcp.practice.portal.listing import parse_listing
from bi_mcp.practice.portal.parameters import as_integer, as_sequence
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.rendering import render_item, render_row
from bi_mcp.practice.portal.schema import dataset_schema, descriptions, row_fields
from bi_mcp.practice.portal.sources import find_source
from bi_mcp.practice.portal.validation import check_changes, check_new, given_fields, object_id

# `builder_datasets` plays BI Builder: its ids are `externalId`, its orphans are the ones that `table.delete` leaves.
TABLES = """
CREATE TABLE IF NOT EXISTS builder_datasets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS datasets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application TEXT NOT NULL,
    sourceId INTEGER NOT NULL REFERENCES sources (id),
    type TEXT NOT NULL DEFAULT 'rest',
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    externalCode TEXT NOT NULL,
    externalName TEXT NOT NULL,
    externalId INTEGER NOT NULL DEFAULT 0,
    dateCreate TEXT NOT NULL,
    dateUpdate TEXT,
    createdById INTEGER NOT NULL,
    updatedById INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS datasets_by_source ON datasets (sourceId);
"""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NAME_LENGTH = 230
_CSV = {"csvDelimiter": "", "csvEncoding": "", "csvHasHeaders": False}


class DatasetMethods:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._schema = dataset_schema(context.generation)
        context.database.create(TABLES + COLUMN_TABLES)

    async def add(self, call: Call) -> object:
        """Run `dataset.add`, which also creates a dataset of BI Builder."""
        return await self._add(call, in_builder=True)

    async def add_table(self, call: Call) -> object:
        return await self._add(call, in_builder=False)

    async def _add(self, call: Call, *, in_builder: bool) -> object:
        values = check_new(self._schema, given_fields(call.parameters), self._context.generation)
        columns = self._checked_columns(values.pop("fields"))
        name = _checked_name(str(values["name"]))
        source_id = as_integer(values["sourceId"]) or 0
        stamps = {
            "application": call.application,
            "dateCreate": self._context.now(),
            "createdById": call.user_id,
        }
        # No connector is called: as in Bitrix24, the table and its columns need not exist.
        with self._context.database.transaction() as connection:
            find_source(connection, source_id, call.reach)
            # Names are unique across the whole portal, for all applications.
            if records.exists(connection, "datasets", "name = ?", name):
                code, message = _NAME_TAKEN[self._context.generation]
                raise ModuleFault(code, message.format(name=name))
            builder_id = records.insert(connection, "builder_datasets", {"name": name}) if in_builder else 0
            row = {**values, **stamps, "externalId": builder_id}
            dataset_id = records.insert(connection, "datasets", row)
            insert_columns(connection, dataset_id, columns)
        return {"id": dataset_id}

    async def update(self, call: Call) -> object:
        dataset_id = object_id(call.parameters, self._context.generation)
        fields = given_fields(call.parameters)
        if "fields" in fields:
            raise ModuleFault(
                "INVALID_METHOD",
                'Use the method "biconnector.dataset.fields.update" to update the dataset fields.',
            )
        values = check_changes(self._schema, fields)
        with self._context.database.transaction() as connection:
            find_dataset(connection, dataset_id, call.reach)
            records.change(connection, "datasets", dataset_id, {**values, **self._stamps(call)})
        return True

    async def get(self, call: Call) -> object:
        titles = [title for title in row_fields(self._schema) if title != "sourceId"]
        with self._context.database.snapshot() as connection:
            row = find_dataset(connection, object_id(call.parameters, self._context.generation), call.reach)
            columns = shown_columns(connection, row["id"])
        return {"item": {**render_row(self._schema, row, titles), **_CSV, "fields": columns}}

    async def page(self, call: Call) -> object:
        listing = parse_listing(self._schema, call.parameters, self._context.generation)
        with self._context.database.snapshot() as connection:
            rows = listing.rows(connection, "datasets", call.reach)
        return [render_item(self._schema, row, listing, self._context.generation) for row in rows]

    async def delete(self, call: Call) -> object:
        dataset_id = object_id(call.parameters, self._context.generation)
        with self._context.database.transaction() as connection:
            row = find_dataset(connection, dataset_id, call.reach)
            records.delete(connection, "datasets", "id = ?", [dataset_id])
            if self._context.generation == "classic":
                records.delete(connection, "builder_datasets", "id = ?", [row["externalId"]])
        return True

    async def break_down(self, _: Call) -> object:
        """Fail like `dataset.delete` on a portal with the table family."""
        raise SystemFault(500, "INTERNAL_SERVER_ERROR", "Internal server error")

    async def fields(self, _: Call) -> object:
        return descriptions(self._schema)

    async def update_fields(self, call: Call) -> object:
        dataset_id = object_id(call.parameters, self._context.generation)
        with self._context.database.snapshot() as connection:
            find_dataset(connection, dataset_id, call.reach)
        changes = parse_changes(call.parameters, self._context.generation)
        with self._context.database.transaction() as connection:
            find_dataset(connection, dataset_id, call.reach)
            apply_changes(connection, dataset_id, changes)
            records.change(connection, "datasets", dataset_id, self._stamps(call))
        # The columns are saved by now and stay: only BI Builder did not follow.
        if self._context.sync_fails(call.method):
            raise ModuleFault("DATASET_UPDATE_ERROR", "Error updating dataset.")
        return True

    def _checked_columns(self, given: object) -> list[StoredColumn]:
        if as_sequence(given):
            return parse_stored_columns(given, self._context.generation)
        if self._context.generation == "tables":
            raise ModuleFault("FIELDS_EMPTY", "$fields is empty")
        raise ModuleFault("VALIDATION_REQUIRED_FIELD_MISSING", 'Field "fields" is required.')

    def _stamps(self, call: Call) -> dict[str, object]:
        return {"dateUpdate": self._context.now(), "updatedById": call.user_id}


def find_dataset(connection: sqlite3.Connection, dataset_id: int, reach: Reach) -> sqlite3.Row:
    """Find a dataset. Raises `DATASET_NOT_FOUND`, also for one that is out of reach."""
    row = records.find_record(connection, "datasets", dataset_id, reach)
    if row is None:
        raise ModuleFault("DATASET_NOT_FOUND", "Dataset was not found.")
    return row


def _checked_name(name: str) -> str:
    if len(name) > _NAME_LENGTH:
        raise ModuleFault("VALIDATION_DATASET_NAME_TOO_LONG", "Dataset name must not exceed 230 characters.")
    if not _NAME.fullmatch(name):
        raise ModuleFault(
            "VALIDATION_DATASET_NAME_INVALID",
            "Dataset name has to start with a lowercase Latin character. Possible entry includes lowercase Latin "
            "characters (a-z), numbers (0-9) and underscores.",
        )
    return name


_NAME_TAKEN: Mapping[Generation, tuple[str, str]] = {
    "classic": ("DATASET_ALREADY_EXIST", "Dataset with this name already exists."),
    "tables": ("NAME_EXISTS", 'A table named "{name}" already exists.'),
}
