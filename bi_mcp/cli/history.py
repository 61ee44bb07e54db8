"""`bi-mcp history` and `bi-mcp undo`."""

from __future__ import annotations

from typing import Any

import click

from bi_mcp.base.language import say
from bi_mcp.cli.options import profile_option


@click.command(short_help="Show what bi-mcp changed on a portal.")
@click.option(
    "--object", metavar="OBJECT", help="Only changes of this object, as in 'dataset 5', or of a name."
)
@profile_option
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1), help="Number of changes to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def history(**options: Any) -> None:
    r"""Show the latest changes, newest first. Values of settings are not shown. Does not call the portal.

    \b
    Examples:
      bi-mcp history
      bi-mcp history --object "dataset 5" --limit 100
      bi-mcp history --profile prod --json
    """
    from bi_mcp.cli.actions.history import list_changes

    list_changes(**options)


@click.command(short_help="Undo changes on a portal.")
@click.argument("entries", metavar="ID...", nargs=-1)
@click.option("--last", is_flag=True, help="Undo the last change that was not undone yet.")
@click.option("--since", metavar="ID", help="Undo this change and all later ones.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@profile_option
def undo(entries: tuple[str, ...], *, last: bool, since: str | None, **options: Any) -> None:
    r"""Undo changes that `bi-mcp history` shows: restore fields, create deleted objects again (with new ids), delete created objects.

    Shows the plan and asks. Does nothing if an object was changed since. Exits with status 1 if something was not done.

    \b
    Examples:
      bi-mcp undo --last
      bi-mcp undo 3f2a9c10 81b0d4e7 --profile prod
      bi-mcp undo --since 3f2a9c10
    """
    if bool(entries) + last + bool(since) != 1:
        raise click.UsageError(say("Say what to undo: one or more ids, --last, or --since ID."))
    from bi_mcp.cli.actions.undo import undo_changes

    undo_changes(entries, since, **options)
