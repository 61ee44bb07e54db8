"""Pure: the digest of everything that a plan rests on: the objects as they are, and the file's entries for those that change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.setup.matching import Pairs
from bi_mcp.setup.plan import Change
from bi_mcp.setup.setup import Setup, SourceEntry
from bi_mcp.setup.state import digest
from bi_mcp.vault.secret_parameters import looks_secret


def plan_digest(pairs: Pairs, setup: Setup, snapshot: Snapshot, changes: Sequence[Change]) -> str:
    """Another one where anything of that differs."""
    # A plan shows only the label of a new object, so the file's entries count, too.
    entries = [
        [change.group, change.key, _public_entry(setup, change.group, change.key)]
        for change in changes
        if change.key is not None
    ]
    return digest([_live(pairs, snapshot, changes), entries])


def _live(pairs: Pairs, snapshot: Snapshot, changes: Sequence[Change]) -> list[object]:
    """Every object that the file manages or the plan touches: all that the API documents, without values of settings."""
    touched = {(change.group, change.id) for change in changes if change.id}
    managed = {(group, item.id) for group in KINDS for item in pairs.of(group).values()}
    public = {group: set(kind.received.model_fields) - kind.secret for group, kind in KINDS.items()}
    return [
        [group, id, item.model_dump(mode="json", by_alias=True, include=public[group])]
        for group, id in sorted(touched | managed)
        if (item := snapshot.of(group).get(id))
    ]


def _public_entry(setup: Setup, group: Group, key: str) -> dict[str, Any]:
    """An entry without values that may be secrets: references stay, and text under a code that suggests none."""
    entry = setup.entries(group)[key]
    if not isinstance(entry, SourceEntry):
        return entry.model_dump(mode="json")
    names = {each.code: each.name for each in setup.connectors[entry.connector].settings}
    settings = {
        code: None if isinstance(value, str | int) and looks_secret(code, names.get(code, "")) else value
        for code, value in entry.settings.items()
    }
    return entry.model_copy(update={"settings": settings}).model_dump(mode="json")
