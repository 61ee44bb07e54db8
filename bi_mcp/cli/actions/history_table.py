"""The history as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bi_mcp.base.language import say
from bi_mcp.cli.actions.rows import open_console, print_records
from bi_mcp.history.description import tell_author, tell_deed, tell_outcome
from bi_mcp.history.entries import Entry
from bi_mcp.rest.kinds import KINDS

# Six columns are not readable in less.
NARROW = 60
MARKS = {"done": "✓", "refused": "✗", "unknown": "?", "begun": "?"}


def print_history(entries: Sequence[Entry], reverted: Mapping[str, str]) -> None:
    """Print a row for each change; `reverted` names the entry that undid an entry."""
    headings = ["id", say("when (UTC)"), say("who"), say("object"), say("what"), say("outcome")]
    rows = [_row(entry, reverted) for entry in entries]
    console = open_console()
    if console.width < NARROW:
        # A line per value: folded into columns of a few letters no entry could be read.
        print_records(console, headings, rows)
        return
    table = Table(box=SIMPLE_HEAD)
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number < 2, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _row(entry: Entry, reverted: Mapping[str, str]) -> list[Text]:
    object = f"{KINDS[entry.group].noun} {entry.object or ''} {entry.name}"
    who = " ".join(filter(None, [entry.tool, tell_author(entry)]))
    outcome = f"{MARKS[entry.outcome]} {tell_outcome(entry, reverted.get(entry.id))}"
    row = (entry.id, entry.at[:16].replace("T", " "), who, object, tell_deed(entry), outcome)
    # Titles come from outside: no markup in them is meant.
    return [Text(" ".join(value.splitlines())) for value in row]
