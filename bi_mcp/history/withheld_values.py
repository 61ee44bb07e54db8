"""Values of sources' settings that an undo does not send on behalf of somebody else.

The history keeps the values of deleted sources and former passwords, which the portal shows to nobody any more. Who undoes a
colleague's change would otherwise use them: on a source of their own, and at any host to which they have moved the connector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.history.description import tell_author
from bi_mcp.history.entries import current_id

if TYPE_CHECKING:
    from bi_mcp.history.entries import Entry, Key
    from bi_mcp.history.reader import Reader
    from bi_mcp.history.undo_plan import UndoStep


def find_withheld(step: UndoStep, reader: Reader, given: Sequence[Entry]) -> list[str]:
    """Return the codes of the settings whose values a step would send and the reader neither gave nor administers.

    `given` are the reader's own writes to the same source, with their values opened. Pure.
    """
    values = step.values.get("settings")
    person = reader.person
    if person is None or person.administrator or reader.wrote(step.entry) or not isinstance(values, Mapping):
        return []
    own = [entry.sent.get("settings") or {} for entry in given]
    return [
        code
        for code, value in values.items()
        if value and not any(code in settings and settings[code] == value for settings in own)
    ]


def find_given(
    step: UndoStep, reader: Reader, entries: Sequence[Entry], replaced: Mapping[Key, int]
) -> list[Entry]:
    """Return the reader's own writes to the source of a step, also under its former ids, that came before what it reverts.

    With later ones they could find out a value by trying.
    """
    id = current_id(replaced, "source", step.id)
    earlier = takewhile(lambda entry: entry.id != step.entry.id, entries)
    return [
        entry
        for entry in earlier
        if entry.group == "source"
        and entry.object is not None
        and current_id(replaced, "source", entry.object) == id
        and entry.outcome == "done"
        and isinstance(entry.sent.get("settings"), Mapping)
        and reader.wrote(entry)
    ]


def tell_withheld(step: UndoStep, codes: Sequence[str]) -> str:
    """Say why a step is not made, and who can make it."""
    named = ", ".join(code if code.isidentifier() else quote(code) for code in codes)
    author = tell_author(step.entry)
    if not author:
        return say(
            "{entry} cannot be reverted by you: it would send values of {codes} that others gave. Ask an administrator of the portal to undo it.",
            entry=step.entry.id,
            codes=named,
        )
    return say(
        "{entry} cannot be reverted by you: it would send values of {codes} that others gave. Ask who made the change ({author}) to undo it, or an administrator of the portal.",
        entry=step.entry.id,
        codes=named,
        author=author,
    )
