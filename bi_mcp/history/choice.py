"""Choice of the entries that are to be undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.history.entries import find_undone
from bi_mcp.history.reader import Reader

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry

Shows = Callable[["Entry"], bool]


def show_all(_: Entry) -> bool:
    """Show every entry."""
    return True


def choose(
    entries: Sequence[Entry],
    ids: Collection[str] = (),
    reader: Reader = Reader(),  # noqa: B008  it never changes
    shows: Shows = show_all,
) -> list[Entry]:
    """Return the named entries, or the reader's last one that was done and not reverted; the newest first, each with the other
    parts of its change. What `shows` does not show is not there. Raises `InvalidRequestError`.
    """
    if not ids:
        return _with_parts(entries, [_last(entries, reader)], shows)
    shown = {entry.id for entry in entries if shows(entry)}
    unknown = [id for id in ids if id not in shown]
    if unknown:
        raise InvalidRequestError(
            say("The history has no entry {ids}.", ids=", ".join(map(repr, unknown))),
            advise(AdviceKind.SEE_HISTORY),
        )
    return _with_parts(entries, ids, shows)


def name_candidates(entries: Sequence[Entry], ids: Collection[str]) -> list[Entry]:
    """Return the entries that an undo of these may choose, or name as what must be undone before or after."""
    changes = {entry.change for entry in entries if entry.id in ids and entry.change}
    return [
        entry
        for entry in entries
        if entry.id in ids or entry.change in changes or entry.operation == "delete"
    ]


def _last(entries: Sequence[Entry], reader: Reader) -> str:
    reverted = find_undone(entries)
    others = False
    for entry in reversed(entries):
        if entry.outcome == "refused" or entry.undoes is not None or entry.id in reverted:
            continue
        if reader.wrote(entry):
            return entry.id
        others = True
    nothing = (
        say("The history has no change of yours that can be undone.")
        if others and reader.person is None
        else say("The history has nothing that can be undone.")
    )
    raise InvalidRequestError(nothing, advise(AdviceKind.SEE_HISTORY))


def _with_parts(entries: Sequence[Entry], ids: Collection[str], shows: Shows) -> list[Entry]:
    """The named entries and the other parts of their changes, except those that were refused or reverted."""
    changes = {entry.change for entry in entries if entry.id in ids and entry.change}
    reverted = find_undone(entries)
    return [
        entry
        for entry in reversed(entries)
        if entry.id in ids
        or (
            entry.change in changes
            and entry.outcome != "refused"
            and entry.id not in reverted
            and shows(entry)
        )
    ]
