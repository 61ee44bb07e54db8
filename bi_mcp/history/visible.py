"""The rule about what a person is shown of the history: their own changes, and of others' what the portal itself shows them.

A change of somebody else is shown where the portal lists its object to the reader. An object that was deleted is listed to nobody;
then its nearest ancestor that remains decides: the source of a dataset, the connector of a source. With none left, only
administrators see it; so they alone see what others tried and perhaps did not get done. Pure but for the look at the portal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anyio import create_task_group

from bi_mcp.errors import AccessDeniedError, BiMcpError
from bi_mcp.history.entries import Key, current_id, replacements
from bi_mcp.history.world import find_parent
from bi_mcp.rest.query import PAGE_SIZE

if TYPE_CHECKING:
    from bi_mcp.auth.person import Person
    from bi_mcp.history.entries import Entry
    from bi_mcp.history.reader import Reader
    from bi_mcp.rest.client import BIConnector

# The more entries were hidden, the more are looked up at once.
_GROWTH = 4

Look = Callable[[Collection[Key]], Awaitable[Collection[Key]]]


@dataclass(frozen=True)
class Witnesses:
    """Finds the object on which it depends whether an entry is shown. `gone` are the deleted objects with their parents."""

    replaced: Mapping[Key, int]
    gone: Mapping[Key, Key | None]

    def find(self, entry: Entry) -> Key | None:
        """Return the object of an entry under its present id, or where it was deleted its nearest ancestor that remains."""
        key: Key | None = (entry.group, entry.object) if entry.object is not None else None
        while key is not None:
            key = (key[0], current_id(self.replaced, *key))
            if key not in self.gone:
                return key
            key = self.gone[key]
        return None


def find_witnesses(entries: Sequence[Entry]) -> Witnesses:
    """Learn from a whole history what was deleted, and what was made again."""
    deletions = [entry for entry in entries if entry.operation == "delete" and entry.outcome == "done"]
    gone: dict[Key, Key | None] = {
        (entry.group, entry.object): find_parent(entry) for entry in deletions if entry.object
    }
    return Witnesses(replacements(entries), gone)


@dataclass
class Visibility:
    """What the reader is shown of one history. Without a person everything is. What was not looked up is not shown."""

    reader: Reader
    witnesses: Witnesses
    look: Look
    _listed: dict[Key, bool] = field(default_factory=dict, init=False)

    def shows(self, entry: Entry) -> bool:
        """Return whether an entry is shown, as far as it was looked up."""
        person = self.reader.person
        if person is None or self.reader.wrote(entry):
            return True
        if entry.outcome != "done":
            # It tells what somebody tried. That may never have been in the portal, which then shows it to nobody.
            return _is_left_to(person)
        witness = self.witnesses.find(entry)
        return _is_left_to(person) if witness is None else self._listed.get(witness, False)

    async def filter(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the entries that are shown. Raises the errors of the look."""
        if self.reader.person is None:
            return list(entries)
        others = [entry for entry in entries if entry.outcome == "done" and not self.reader.wrote(entry)]
        found = {self.witnesses.find(entry) for entry in others}
        unknown = {key for key in found if key is not None} - self._listed.keys()
        if unknown:
            listed = await self.look(unknown)
            self._listed |= {key: key in listed for key in unknown}
        return [entry for entry in entries if self.shows(entry)]

    async def first(self, entries: Sequence[Entry], most: int) -> list[Entry]:
        """Return the first entries that are shown, and look up no more than that needs, in few requests."""
        shown: list[Entry] = []
        begin, step = 0, most
        while begin < len(entries) and len(shown) < most:
            shown += await self.filter(entries[begin : begin + step])
            begin, step = begin + step, step * _GROWTH
        return shown[:most]


def _is_left_to(person: Person) -> bool:
    """Nothing is left that the portal could list."""
    return person.administrator


async def look_for(bi: BIConnector, keys: Collection[Key]) -> set[Key]:
    """Return those of the objects that the portal lists to the caller. Asked together, so that few requests carry it."""
    listed: set[Key] = set()
    errors: list[BiMcpError] = []

    async def ask(group: str, ids: Sequence[int]) -> None:
        try:
            page = await bi.of(group).list_page(select=["id"], filter={"@id": list(ids)})
        except AccessDeniedError:
            # Nothing is listed to a user without the right to this kind.
            return
        except BiMcpError as error:
            errors.append(error)
            return
        listed.update((group, item.id) for item in page.items)

    async with create_task_group() as tasks:
        for group, ids in _by_group(keys).items():
            for begin in range(0, len(ids), PAGE_SIZE):
                tasks.start_soon(ask, group, ids[begin : begin + PAGE_SIZE])
    if errors:
        raise errors[0]
    # A portal that overlooks the filter lists others, too.
    return listed & set(keys)


def _by_group(keys: Collection[Key]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for group, id in sorted(keys):
        groups.setdefault(group, []).append(id)
    return groups
