"""Pure: the digest of everything that a plan rests on: the objects as they are, and the file's entries for those that change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.setup.matching import Pairs
from bi_mcp.setup.plan import Change
from bi_mcp.setup.setup import Setup, SourceEntry
from bi_mcp.setup.state import digest
from bi_mcp.vault.secret_parameters import looks_secret


def plan_digest(pairs: Pairs, setup: Setup, snapshot: Snapshot, changes: Sequence[Change]) -> str:
    """Another one where anything of that differs."""
    return digest([_live(pairs, snapshot, changes), _meant(setup, changes)])


def _live(pairs: Pairs, snapshot: Snapshot, changes: Sequence[Change]) -> list[object]:
    """Every object that the file manages or the plan touches."""
    touched = {(change.group, change.id) for change in changes if change.id}
    managed = {(group, item.id) for group in KINDS for item in pairs.of(group).values()}
    return [
        [group, id, _public(group, snapshot.of(group)[id])]
        for group, id in sorted(touched | managed)
        if id in snapshot.of(group)
    ]


def _meant(setup: Setup, changes: Sequence[Change]) -> list[object]:
    """The file's entries for all objects that would be made or changed. A plan shows only the label of a new object."""
    keys = [(change.group, change.key) for change in changes if change.key is not None]
    return [[group, key, _public_entry(setup, group, key)] for group, key in keys]


def _public_entry(setup: Setup, group: Group, key: str) -> dict[str, Any]:
    """An entry without values that may be secrets: references stay, and text under a code that suggests none."""
    entry = setup.entries(group)[key]
    if not isinstance(entry, SourceEntry):
        return entry.model_dump(mode="json")
    names = {each.code: each.name for each in setup.connectors[entry.connector].settings}
    shown = {
        code: None if isinstance(value, str | int) and looks_secret(code, names.get(code, "")) else value
        for code, value in entry.settings.items()
    }
    return entry.model_copy(update={"settings": shown}).model_dump(mode="json")


def _public(group: Group, item: PortalObject) -> dict[str, Any]:
    """Everything that the API documents, without the values of settings; unknown keys of a source may repeat one."""
    shown = set(type(item).model_fields) - KINDS[group].secret
    return item.model_dump(mode="json", by_alias=True, include=shown)
