"""A plan: changes in the order in which they are made, each with its reasons. Data only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import hide_logins
from bi_mcp.rest.kinds import Group
from bi_mcp.setup.setup import ColumnEntry

Action = Literal["create", "update", "replace", "delete"]
ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "delete")

COUNTED: Mapping[Action, str] = {
    "create": text("{count} to create"),
    "update": text("{count} to update"),
    "replace": text("{count} to replace"),
    "delete": text("{count} to delete"),
}

CHECKSUM_DIGITS = 16


@dataclass(frozen=True)
class FieldChange:
    """One field of an object: `urlData`, `settings.password`, `columns.ID.visible`. Values of settings are never in it.

    `drifted`: the portal's value is not what bi-mcp last applied; someone else changed it.
    """

    field: str
    before: object
    after: object
    drifted: bool = False


@dataclass(frozen=True)
class ColumnChange:
    """The changes to the columns of a dataset that stays: ids and names to delete, entries to add, `(id, visible)` to set."""

    delete: tuple[tuple[int, str], ...] = ()
    add: tuple[ColumnEntry, ...] = ()
    show: tuple[tuple[int, bool], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.delete or self.add or self.show)


NO_COLUMNS = ColumnChange()


@dataclass(frozen=True)
class Change:
    """One object. `key` is None for one that the file does not know, `id` None for one that the portal does not have yet.

    `changed_by` and `changed_at` are the portal's user id and moment of the last change, where it tells them.
    """

    action: Action
    group: Group
    key: str | None
    id: int | None
    label: str
    reasons: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()
    columns: ColumnChange = NO_COLUMNS
    consequences: tuple[str, ...] = ()
    changed_by: int | None = None
    changed_at: str | None = None

    @property
    def deletes(self) -> bool:
        """True if an object is removed from the portal."""
        return self.action in {"replace", "delete"}

    def deed(self) -> dict[str, Any]:
        """The change without the words for it, which differ from language to language."""
        words = {"reasons", "consequences"}
        return {name: value for name, value in self.as_json().items() if name not in words}

    def as_json(self) -> dict[str, Any]:
        """The change for machines; holds no value of a setting."""
        document = asdict(self)
        for change in document["fields"]:
            values = {side: change[side] for side in ("before", "after")}
            change |= {side: hide_logins(value) for side, value in values.items() if isinstance(value, str)}
        document["columns"] = {
            "delete": [{"id": id, "name": name} for id, name in self.columns.delete],
            "add": [column.model_dump(mode="json", by_alias=True) for column in self.columns.add],
            "show": [{"id": id, "visible": visible} for id, visible in self.columns.show],
        }
        if not self.columns:
            del document["columns"]
        return {name: value for name, value in document.items() if value not in (None, (), [])}


@dataclass(frozen=True)
class Plan:
    """The changes that would be made to a portal.

    `notes` are worth knowing, `obstacles` must be removed before the plan can be applied. `state_digest` is a digest of
    everything on the portal that the plan rests on.
    """

    portal: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    state_digest: str = field(default="", repr=False)

    @cached_property
    def checksum(self) -> str:
        """Equal only where the same would be done to the same objects in the same state."""
        content = [self.portal, self.state_digest, [change.deed() for change in self.changes]]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:CHECKSUM_DIGITS]

    @property
    def deletions(self) -> Sequence[Change]:
        """Changes that remove an object from the portal."""
        return [change for change in self.changes if change.deletes]

    def count(self, action: Action) -> int:
        """Count the changes of a kind."""
        return sum(change.action == action for change in self.changes)

    def of(self, group: Group, *actions: Action) -> Iterator[Change]:
        """The changes of a group that are of one of these kinds."""
        return (change for change in self.changes if change.group == group and change.action in actions)

    def summary(self) -> str:
        """`2 to create, 1 to update, nothing to replace or delete.`"""
        counted = [say(COUNTED[action], count=self.count(action)) for action in ACTIONS if self.count(action)]
        return f"{', '.join(counted)}." if counted else say("Nothing to do: the portal is as the file says.")

    def as_json(self) -> dict[str, Any]:
        """The plan for machines; holds no value of a setting."""
        return {
            "portal": self.portal,
            "checksum": self.checksum,
            "summary": {action: self.count(action) for action in ACTIONS},
            "changes": [change.as_json() for change in self.changes],
            "notes": list(self.notes),
            "obstacles": list(self.obstacles),
        }
