"""The world that an undo starts from: the whole history, and the objects as they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.history.choice import show_all
from bi_mcp.history.entries import Key, current_id, find_undone, replacements
from bi_mcp.rest.kinds import KINDS

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Wire
    from bi_mcp.rest.generation import PortalGeneration


@dataclass(frozen=True)
class World:
    """The input of a plan: the whole history, and the touched objects as they are now (None: gone).

    Only entries that `shows` shows are named.
    """

    entries: Sequence[Entry]
    live: Mapping[Key, Wire | None]
    generation: PortalGeneration
    shows: Callable[[Entry], bool] = show_all

    def deletions_of(self, key: Key) -> list[Entry]:
        """The deletions of an object that may be named."""
        deletions = [entry for entry in self.entries if entry.operation == "delete" and self.shows(entry)]
        return [entry for entry in deletions if (entry.group, entry.object) == key]

    def current(self, group: str, id: int) -> int:
        """The id under which an object is now."""
        return current_id(replacements(self.entries), group, id)

    def deleted_below(self, entry: Entry) -> list[Entry]:
        """The deletions, not undone yet, of the objects that depended on the object of this entry."""
        undone = find_undone(self.entries)
        return [
            each
            for each in self.entries
            if each.operation == "delete"
            and each.outcome == "done"
            and each.id not in undone
            and find_parent(each) == (entry.group, entry.object)
            and self.shows(each)
        ]


def find_parent(entry: Entry) -> Key | None:
    """Find the object on which the object of an entry depended."""
    kind = KINDS[entry.group]
    id = (entry.before or {}).get(kind.parent_field)
    return (kind.parent, id) if kind.parent is not None and isinstance(id, int) else None
