"""The history of a portal as its reader sees it, page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import to_thread

from bi_mcp.history.description import about_object
from bi_mcp.history.entries import find_undone
from bi_mcp.history.reader import as_of_now
from bi_mcp.history.visible import Visibility, Witnesses, find_witnesses

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, History
    from bi_mcp.history.reader import Reader
    from bi_mcp.history.visible import Look
    from bi_mcp.rest.models.portal import PortalUser


@dataclass(frozen=True)
class HistoryPage:
    """Entries, the newest first. `reverted` names the entry that undid an entry, where that is shown, too."""

    entries: Sequence[Entry]
    reverted: Mapping[str, str]
    more: bool


@dataclass(frozen=True)
class SeenHistory:
    """The history for one reader; `look` asks the portal on their behalf, and only about changes of others. `ask` asks it who
    they are.
    """

    history: History
    reader: Reader
    look: Look
    ask: Callable[[], Awaitable[PortalUser]]

    async def page(self, number: int, size: int, wanted: str | None = None) -> HistoryPage:
        """Return a page of the entries, counted from 1, or of those about an object or name as `about_object` takes it.

        Raises `InvalidRequestError` for another kind of object, and the errors of the look.
        """
        entries, found, reverting, witnesses = await to_thread.run_sync(self._read, wanted)
        reader = await as_of_now(self.reader, self.ask)
        visibility = Visibility(reader, witnesses, self.look)
        shown = await visibility.first(found, size * number + 1)
        page = shown[size * (number - 1) : size * number]
        by_id = {entry.id: entry for entry in entries}
        undoing = [by_id[reverting[entry.id]] for entry in page if entry.id in reverting]
        told = {entry.id for entry in await visibility.filter(undoing)}
        reverted = {entry.id: reverting[entry.id] for entry in page if reverting.get(entry.id) in told}
        return HistoryPage(page, reverted, more=len(shown) > size * number)

    def _read(self, wanted: str | None) -> tuple[list[Entry], list[Entry], dict[str, str], Witnesses]:
        entries = self.history.entries()
        found = about_object(entries, wanted) if wanted else entries
        return entries, found[::-1], find_undone(entries), find_witnesses(entries)
