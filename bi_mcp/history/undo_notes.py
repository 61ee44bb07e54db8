"""Pure: notes on the steps of an undo. They say what comes back, where values go, and what does not follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.errors import EndpointError
from bi_mcp.history.description import tell_columns
from bi_mcp.history.world import World, find_parent
from bi_mcp.vault.destinations import destination

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Key, Wire


def recreation_notes(entry: Entry, world: World, states: Mapping[Key, Wire | None]) -> tuple[str, ...]:
    """Note what a deleted object comes back with, and what stays behind."""
    before = entry.before or {}
    notes = []
    settings = before.get("settings")
    if isinstance(settings, Mapping):
        notes += _setting_notes(settings)
    if before.get("fields"):
        notes.append(say("with the columns {columns}", columns=tell_columns(before["fields"])))
    notes += travel_notes(entry, world, states)
    if entry.group == "dataset":
        notes.append(
            say("charts of its old BI Builder dataset do not follow")
            if before.get("externalId")
            else say("charts that used it do not follow")
        )
    below = world.deleted_below(entry)
    if below:
        ids = ", ".join(each.id for each in reversed(below))
        notes.append(say("what depended on it does not come back with it; undo {ids} afterwards", ids=ids))
    return tuple(notes)


def _setting_notes(settings: Mapping[str, object]) -> list[str]:
    kept = [code for code, value in settings.items() if value]
    empty = [code for code, value in settings.items() if not value]
    notes = [say("with its values of {codes}", codes=", ".join(map(_code, kept)))] if kept else []
    if empty:
        notes.append(say("without values of {codes}; give them again", codes=", ".join(map(_code, empty))))
    return notes


def _code(code: str) -> str:
    return code if code.isidentifier() else quote(code)


def update_notes(values: Wire) -> tuple[str, ...]:
    """Note where fields go back to, and the values that are lost."""
    moved = [
        say("{name} back to {address}", name=name, address=quote(str(value), 200))
        for name, value in values.items()
        if name.startswith("url")
    ]
    if "settings" in values:
        moved.append(say("values that sources held for removed parameters do not come back; give them again"))
    return tuple(moved)


def travel_notes(entry: Entry, world: World, states: Mapping[Key, Wire | None]) -> list[str]:
    """Name the hosts that receive the values of a source; they may not be the ones that received them before."""
    parent = find_parent(entry)
    if parent is None:
        return []
    connector = states.get((parent[0], world.current(*parent))) or {}
    addresses = [str(value) for name, value in connector.items() if name.startswith("url")]
    hosts = ", ".join(dict.fromkeys(map(_describe_destination, addresses)))
    return [say("the values of its settings are sent to {hosts}", hosts=hosts)] if hosts else []


def _describe_destination(address: str) -> str:
    try:
        return destination(address)
    except EndpointError:
        return quote(address, 200)
