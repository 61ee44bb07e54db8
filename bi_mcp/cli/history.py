"""`bi-mcp history` and `bi-mcp undo`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say, text
from bi_mcp.cli.chosen_portal import on_the_portal, open_app
from bi_mcp.cli.rows import open_console, print_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from bi_mcp.app.app import App
    from bi_mcp.history.entries import Entry
    from bi_mcp.history.undo_plan import UndoPlan

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


@click.command(short_help="Show what bi-mcp changed on a portal.")
@click.option("--profile", help="Of this profile's portal. Default: the default one.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="So many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def history(profile: str | None, limit: int, as_json: bool) -> None:
    r"""Show the latest changes, the newest first. Values of settings are not shown. Calls no portal.

    \b
    Examples:
      bi-mcp history
      bi-mcp history --profile prod --limit 100 --json
    """
    from bi_mcp.history.entries import describe_entry, find_undone

    entries = open_app(profile).history.entries()
    reverted = find_undone(entries)
    latest = list(reversed(entries[-limit:]))
    if as_json:
        shown = [describe_entry(entry, reverted.get(entry.id)) for entry in latest]
        click.echo(json.dumps({"entries": shown}, ensure_ascii=False, indent=2))
    elif latest:
        _print_table(latest, reverted)
    else:
        click.echo(say("Nothing was changed yet, as far as this machine knows."))


@click.command(short_help="Change a portal back.")
@click.argument("entries", metavar="ID...", nargs=-1)
@click.option("--last", is_flag=True, help="The last change that was not undone.")
@click.option("--since", metavar="ID", help="This change and all after it.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.option("--profile", help="On this profile's portal. Default: the default one.")
def undo(entries: tuple[str, ...], last: bool, since: str | None, yes: bool, profile: str | None) -> None:
    r"""Revert changes that `bi-mcp history` shows: sets fields back, makes what was deleted again with new ids, deletes what was made.

    Shows what would be done and asks. Nothing is done where an object was changed since. Ends with status 1 where something was not done.

    \b
    Examples:
      bi-mcp undo --last
      bi-mcp undo 3f2a9c10 81b0d4e7 --profile prod
      bi-mcp undo --since 3f2a9c10
    """
    if bool(entries) + last + bool(since) != 1:
        raise click.UsageError(say("Say what to undo: one or more ids, --last, or --since ID."))

    async def run(app: App) -> None:
        chosen = _since(app, since) if since else list(entries)
        async with app.portal.addresses_settled:
            plan = await app.undo.plan(chosen)
            for line in plan.lines():
                click.echo(line)
            if not plan.steps and not plan.obstacles:
                return
            _check(plan, yes=yes)
            results = await app.undo.run(plan)
        for result in results:
            new = (
                say(", now {id}", id=result.id)
                if result.step.action == "recreate" and not result.error
                else ""
            )
            click.echo(
                f"{'✗' if result.error else '✓'} {result.step}{new}{f': {result.error}' if result.error else ''}"
            )
        if len(results) < len(plan.steps) or results[-1].error:
            sys.exit(1)

    on_the_portal(run, profile)


def _since(app: App, first: str) -> list[str]:
    ids = [entry.id for entry in app.history.entries() if entry.outcome != "refused"]
    # One that is not there is refused where all are looked up.
    return ids[ids.index(first) :] if first in ids else [first]


def _check(plan: UndoPlan, *, yes: bool) -> None:
    if plan.obstacles:
        raise click.ClickException(
            say("Nothing was sent. Remove what the lines with ! name, then try again.")
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(say("Nothing was sent: nobody is there to be asked. Add --yes."))
    click.confirm(say("Do it?"), default=False, abort=True)


def _print_table(entries: Sequence[Entry], reverted: dict[str, str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

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


def _row(entry: Entry, reverted: dict[str, str]) -> list[Text]:
    from rich.text import Text

    from bi_mcp.rest.kinds import KINDS

    object = f"{KINDS[entry.group].noun} {entry.object or ''} {entry.name}"
    code = f" {entry.code}" if entry.code else ""
    undone = say(", undone by {id}", id=reverted[entry.id]) if entry.id in reverted else ""
    undoes = say(", undoes {id}", id=entry.undoes) if entry.undoes else ""
    outcome = f"{MARKS[entry.outcome]} {say(OUTCOMES[entry.outcome])}{code}{undone}{undoes}"
    row = (entry.id, entry.at[:16].replace("T", " "), entry.tool or "", object, _what(entry), outcome)
    # Titles come from outside: no markup in them is meant.
    return [Text(" ".join(value.splitlines())) for value in row]


def _what(entry: Entry) -> str:
    from bi_mcp.history.entries import describe_entry

    fields = describe_entry(entry).get("fields", ())
    if entry.operation == "fields.update":
        return say("columns: {names}", names=", ".join(say(OPERATIONS[name]) for name in fields))
    named = f" {', '.join(fields)}" if entry.operation == "update" else ""
    return f"{say(OPERATIONS[entry.operation])}{named}"
