"""The history as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bi_mcp.base.language import say, text
from bi_mcp.cli.actions.rows import open_console, print_records
from bi_mcp.history.entries import Entry, describe_entry
from bi_mcp.rest.kinds import KINDS

# Six columns are not readable in less.
NARROW = 60
MARKS = {"done": "✓", "refused": "✗", "unknown": "?", "begun": "?"}
# In English both are what JSON has.
OPERATIONS = {"add": text("add"), "update": text("update"), "delete": text("delete")}
OUTCOMES = {
    "done": text("done"),
    "refused": text("refused"),
    "unknown": text("unknown"),
    "begun": text("begun"),
}


def print_history(entries: Sequence[Entry], reverted: Mapping[str, str]) -> None:
    """Print a row for each change; `reverted` names the entry that undid an entry."""
    headings = ["id", say("when (UTC)"), say("tool"), say("object"), say("what"), say("outcome")]
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
    code = f" {entry.code}" if entry.code else ""
    undone = say(", undone by {id}", id=reverted[entry.id]) if entry.id in reverted else ""
    undoes = say(", undoes {id}", id=entry.undoes) if entry.undoes else ""
    outcome = f"{MARKS[entry.outcome]} {say(OUTCOMES[entry.outcome])}{code}{undone}{undoes}"
    row = (entry.id, entry.at[:16].replace("T", " "), entry.tool or "", object, _what(entry), outcome)
    # Titles come from outside: no markup in them is meant.
    return [Text(" ".join(value.splitlines())) for value in row]


def _what(entry: Entry) -> str:
    fields = describe_entry(entry).get("fields", ())
    if entry.operation == "fields.update":
        return say("columns: {names}", names=", ".join(say(OPERATIONS[name]) for name in fields))
    named = f" {', '.join(fields)}" if entry.operation == "update" else ""
    return f"{say(OPERATIONS[entry.operation])}{named}"
