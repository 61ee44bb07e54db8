"""`biconnector.source.*`"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from bi_mcp.practice.portal import records
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.connectors import declared_settings, find_connector
from bi_mcp.practice.portal.context import Call, Context
from bi_mcp.practice.portal.listing import Listing, parse_listing
from bi_mcp.practice.portal.parameters import as_integer, as_mapping
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.rendering import render_item, render_row
from bi_mcp.practice.portal.schema import descriptions, source_schema
from bi_mcp.practice.portal.validation import check_changes, check_new, given_fields, invalid_type, object_id

TABLES = """
CREATE TABLE IF NOT EXISTS sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application TEXT NOT NULL,
    title TEXT NOT NULL,
    type TEXT NOT NULL DEFAULT 'rest',
    code TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    active INTEGER NOT NULL DEFAULT 1,
    dateCreate TEXT NOT NULL,
    dateUpdate TEXT,
    createdById INTEGER NOT NULL,
    updatedById INTEGER NOT NULL DEFAULT 0,
    connectorId INTEGER NOT NULL REFERENCES connectors (id)
);
CREATE INDEX IF NOT EXISTS sources_by_connector ON sources (connectorId);
CREATE TABLE IF NOT EXISTS source_settings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sourceId INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (sourceId, code)
);
"""


class SourceMethods:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._schema = source_schema(context.generation)
        self._connection_titles = [
            title for title in self._schema if title not in ("connectorId", "settings")
        ]
        context.database.create(TABLES)

    async def add(self, call: Call) -> object:
        values = self._writable(
            check_new(self._schema, given_fields(call.parameters), self._context.generation)
        )
        settings = _setting_values(values.pop("settings"))
        connector_id = as_integer(values["connectorId"]) or 0
        with self._context.database.snapshot() as connection:
            connector = find_connector(connection, connector_id, call.reach)
        known = _declared_only(connector, settings)
        if not await self._context.url_check(connector["urlCheck"], known):
            raise connection_error()
        stamps = {
            "application": call.application,
            "code": f"rest_{connector_id}",
            "dateCreate": self._context.now(),
            "createdById": call.user_id,
        }
        with self._context.database.transaction() as connection:
            # Again: it may have been deleted while its urlCheck ran.
            connector = find_connector(connection, connector_id, call.reach)
            source_id = records.insert(connection, "sources", {**values, **stamps})
            _save_settings(connection, source_id, connector, known)
        return {"id": source_id}

    async def update(self, call: Call) -> object:
        source_id = object_id(call.parameters, self._context.generation)
        values = self._writable(check_changes(self._schema, given_fields(call.parameters)))
        settings = _setting_values(values.pop("settings", {}))
        with self._context.database.snapshot() as connection:
            source = find_source(connection, source_id, call.reach)
            if self._context.generation == "tables" and not values.get("title"):
                # The vendor does not give this refusal a code of its own.
                raise ModuleFault(0, "All the fields are required.")
            connector = find_connector(connection, source["connectorId"], call.reach)
            known = _declared_only(connector, settings)
            held = _declared_only(connector, connection_of(connection, source_id))
        if not await self._context.url_check(connector["urlCheck"], {**held, **known}):
            raise ModuleFault("SOURCE_UPDATE_CONNECTION_ERROR", "Cannot update connection.")
        stamps = {"dateUpdate": self._context.now(), "updatedById": call.user_id}
        with self._context.database.transaction() as connection:
            # Again: it may have been deleted while the urlCheck ran.
            find_source(connection, source_id, call.reach)
            records.change(connection, "sources", source_id, {**values, **stamps})
            _save_settings(connection, source_id, connector, known)
        return True

    async def get(self, call: Call) -> object:
        with self._context.database.snapshot() as connection:
            row = find_source(connection, object_id(call.parameters, self._context.generation), call.reach)
            find_connector(connection, row["connectorId"], call.reach)
            settings = _settings_of(connection, row["id"])
        item = {
            "connection": render_row(self._schema, row, self._connection_titles),
            "connectorId": row["connectorId"],
            "settings": settings,
        }
        return {"item": item}

    async def page(self, call: Call) -> object:
        listing = parse_listing(self._schema, call.parameters, self._context.generation)
        with self._context.database.snapshot() as connection:
            rows = listing.rows(connection, "sources", call.reach)
            return [self._list_item(connection, row, listing) for row in rows]

    async def delete(self, call: Call) -> object:
        source_id = object_id(call.parameters, self._context.generation)
        with self._context.database.transaction() as connection:
            find_source(connection, source_id, call.reach)
            if records.exists(connection, "datasets", "sourceId = ?", source_id):
                raise ModuleFault("BX_ERROR", "Cannot delete source. Delete all related datasets first.")
            records.delete(connection, "sources", "id = ?", [source_id])
        return True

    async def fields(self, _: Call) -> object:
        return descriptions(self._schema)

    def _writable(self, values: Mapping[str, object]) -> dict[str, object]:
        """Drop `active`, which newer portals announce as writable and ignore."""
        ignored = {"active"} if self._context.generation == "tables" else set[str]()
        return {title: value for title, value in values.items() if title not in ignored}

    def _list_item(
        self, connection: sqlite3.Connection, row: sqlite3.Row, listing: Listing
    ) -> dict[str, object]:
        """Build a flat item on newer portals and one nested like that of `get` in the classic generation.

        The documentation shows both, so a client must meet both.
        """
        item = render_item(self._schema, row, listing, self._context.generation)
        settings = _settings_of(connection, row["id"])
        if self._context.generation == "tables":
            return item | ({"settings": settings} if "settings" in listing.titles else {})
        nested = {title: item.pop(title) for title in self._connection_titles if title in item}
        return {"connection": nested} | item | _listed_settings(settings, listing)


def find_source(connection: sqlite3.Connection, source_id: int, reach: Reach) -> sqlite3.Row:
    """Find a source. Raises `SOURCE_NOT_FOUND`, also for one that is out of reach."""
    row = records.find_record(connection, "sources", source_id, reach)
    if row is None:
        raise ModuleFault("SOURCE_NOT_FOUND", "Source was not found.")
    return row


def connection_of(connection: sqlite3.Connection, source_id: int) -> dict[str, str]:
    """Return `{code: value}`, as the connector's endpoints receive it."""
    return {row["code"]: row["value"] for row in _setting_rows(connection, source_id)}


def connection_error() -> ModuleFault:
    return ModuleFault("SOURCE_CREATE_CONNECTION_ERROR", "Cannot create connection.")


def _setting_rows(connection: sqlite3.Connection, source_id: int) -> list[sqlite3.Row]:
    return records.select(connection, "source_settings", "sourceId = ? ORDER BY id", [source_id])


def _settings_of(connection: sqlite3.Connection, source_id: int) -> list[dict[str, object]]:
    return [
        {key: row[key] for key in ("id", "code", "name", "type", "value")}
        for row in _setting_rows(connection, source_id)
    ]


def _listed_settings(settings: list[dict[str, object]], listing: Listing) -> dict[str, object]:
    """Return the settings for a list of the classic generation: without their ids, and null if there are none."""
    if "settings" not in listing.titles:
        return {}
    without_ids = [{key: value for key, value in setting.items() if key != "id"} for setting in settings]
    return {"settings": without_ids or None}


def _setting_values(given: object) -> dict[str, str]:
    return {code: _text(value) for code, value in (as_mapping(given) or {}).items()}


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        raise invalid_type("settings", "array")
    if value is None or value is False:
        return ""
    return "1" if value is True else str(value)


def _declared_only(connector: sqlite3.Row, settings: Mapping[str, str]) -> dict[str, str]:
    """Drop settings that the connector does not declare; the portal does so silently."""
    declared = {setting["code"] for setting in declared_settings(connector)}
    return {code: value for code, value in settings.items() if code in declared}


def _save_settings(
    connection: sqlite3.Connection, source_id: int, connector: sqlite3.Row, settings: Mapping[str, str]
) -> None:
    declared = declared_settings(connector)
    codes = {setting["code"] for setting in declared}
    # Settings that the connector no longer declares: the portal removes them with the next save.
    for row in _setting_rows(connection, source_id):
        if row["code"] not in codes:
            records.delete(connection, "source_settings", "id = ?", [row["id"]])
    for setting in declared:
        if setting["code"] in settings:
            connection.execute(
                "INSERT INTO source_settings (sourceId, code, name, type, value) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (sourceId, code) DO UPDATE SET name = excluded.name, type = excluded.type, "
                "value = excluded.value",
                (source_id, setting["code"], setting["name"], setting["type"], settings[setting["code"]]),
            )
