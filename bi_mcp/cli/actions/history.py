"""The action of `bi-mcp history`."""

from __future__ import annotations

import json

import click

from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal import open_app
from bi_mcp.history.description import about_object, describe_entry
from bi_mcp.history.entries import find_undone


def list_changes(object: str | None, profile: str | None, limit: int, *, as_json: bool) -> None:
    """Print the latest changes on a portal, or of one object."""
    entries = open_app(profile).history.entries()
    reverted = find_undone(entries)
    wanted = about_object(entries, object) if object else entries
    latest = list(reversed(wanted[-limit:]))
    if as_json:
        described = [describe_entry(entry, reverted.get(entry.id)) for entry in latest]
        click.echo(json.dumps({"entries": described}, ensure_ascii=False, indent=2))
    elif latest:
        # Imported here: JSON does without rich.
        from bi_mcp.cli.actions.history_table import print_history

        print_history(latest, reverted)
    else:
        click.echo(say("No changes are recorded on this machine."))
