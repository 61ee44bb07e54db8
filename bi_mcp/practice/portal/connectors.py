"""`biconnector.connector.*`"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.context import Call, Context
from bi_mcp.practice.portal.listing import parse_listing
from bi_mcp.practice.portal.parameters import as_mapping, as_sequence
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.rendering import render_item, render_row
from bi_mcp.practice.portal.schema import TITLE_LENGTH, connector_schema, descriptions
from bi_mcp.practice.portal.validation import check_changes, check_new, given_fields, object_id

TABLES = """
CREATE TABLE IF NOT EXISTS connectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application TEXT NOT NULL,
    title TEXT NOT NULL,
    logo TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    dateCreate TEXT NOT NULL,
    createdById INTEGER NOT NULL DEFAULT 1,
    sort INTEGER NOT NULL DEFAULT 100,
    urlCheck TEXT NOT NULL,
    urlTableList TEXT NOT NULL,
    urlTableDescription TEXT NOT NULL,
    urlData TEXT NOT NULL,
    settings TEXT NOT NULL,
    supportMapping INTEGER NOT NULL DEFAULT 0,
    sourceCode TEXT NOT NULL DEFAULT ''
);
"""

_SETTING_KEYS = ("code", "name", "type")
_SETTING_TYPES = frozenset({"STRING", "INT"})


class ConnectorMethods:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._schema = connector_schema(context.generation)
        context.database.create(TABLES)
        # Files of older versions do not have it: then a portal had one user.
        context.database.add_column("connectors", "createdById INTEGER NOT NULL DEFAULT 1")

    async def add(self, call: Call) -> object:
        values = _to_row(check_new(self._schema, given_fields(call.parameters), self._context.generation))
        stamps = {
            "application": call.application,
            "dateCreate": self._context.now(),
            "createdById": call.user_id,
        }
        with self._context.database.transaction() as connection:
            return {"id": records.insert(connection, "connectors", {**values, **stamps})}

    async def update(self, call: Call) -> object:
        connector_id = object_id(call.parameters, self._context.generation)
        values = _to_row(check_changes(self._schema, given_fields(call.parameters)))
        with self._context.database.transaction() as connection:
            find_connector(connection, connector_id, call.reach)
            records.change(connection, "connectors", connector_id, values)
        return True

    async def get(self, call: Call) -> object:
        with self._context.database.snapshot() as connection:
            row = find_connector(connection, object_id(call.parameters, self._context.generation), call.reach)
        return {"item": render_row(self._schema, row, self._schema) | _settings_of(row, self._schema)}

    async def page(self, call: Call) -> object:
        listing = parse_listing(self._schema, call.parameters, self._context.generation)
        with self._context.database.snapshot() as connection:
            rows = listing.rows(connection, "connectors", call.reach)
        return [
            render_item(self._schema, row, listing, self._context.generation)
            | _settings_of(row, listing.titles)
            for row in rows
        ]

    async def delete(self, call: Call) -> object:
        connector_id = object_id(call.parameters, self._context.generation)
        with self._context.database.transaction() as connection:
            find_connector(connection, connector_id, call.reach)
            if records.exists(connection, "sources", "connectorId = ?", connector_id):
                raise ModuleFault(
                    "CONNECTOR_DELETE_RESTRICTED",
                    "Connector cannot be removed. Remove the connections related to the connector first.",
                )
            records.delete(connection, "connectors", "id = ?", [connector_id])
        return True

    async def fields(self, _: Call) -> object:
        return descriptions(self._schema)


def find_connector(connection: sqlite3.Connection, connector_id: int, reach: Reach) -> sqlite3.Row:
    """Find a connector. Raises `CONNECTOR_NOT_FOUND`, also for one that is out of reach."""
    row = records.find_record(connection, "connectors", connector_id, reach)
    if row is None:
        raise ModuleFault("CONNECTOR_NOT_FOUND", "Connector was not found.")
    return row


def declared_settings(row: sqlite3.Row) -> list[dict[str, str]]:
    """Return the parameters that a connector asks of its sources: `{code, name, type}` each."""
    settings: list[dict[str, str]] = json.loads(row["settings"])
    return settings


def _settings_of(row: sqlite3.Row, titles: Iterable[str]) -> dict[str, object]:
    return {"settings": declared_settings(row)} if "settings" in titles else {}


def _to_row(values: Mapping[str, object]) -> dict[str, object]:
    if "settings" not in values:
        return dict(values)
    settings = [_checked_setting(setting) for setting in as_sequence(values["settings"]) or []]
    return {**values, "settings": json.dumps(settings)}


def _checked_setting(setting: object) -> dict[str, str]:
    given = as_mapping(setting) or {}
    texts = {key: str(given.get(key) or "") for key in _SETTING_KEYS}
    if not all(texts.values()):
        raise ModuleFault(
            "VALIDATION_SETTINGS_MISSING_REQUIRED_FIELDS",
            'Settings must include "type", "name" and "code" fields.',
        )
    if texts["type"] not in _SETTING_TYPES:
        raise ModuleFault("VALIDATION_SETTINGS_INVALID_TYPE", 'Parameter "type" is not correct.')
    for key in ("name", "code"):
        if len(texts[key]) > TITLE_LENGTH:
            raise ModuleFault(
                f"VALIDATION_SETTINGS_{key.upper()}_TOO_LONG",
                f'Parameter "{key}" must be less than 512 characters.',
            )
    return texts
