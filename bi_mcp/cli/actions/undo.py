"""The action of `bi-mcp undo`."""

from __future__ import annotations

import sys

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal import on_the_portal
from bi_mcp.history.undo_plan import UndoPlan


def undo_changes(entries: tuple[str, ...], since: str | None, profile: str | None, *, yes: bool) -> None:
    """Undo these changes, all since one, or (with neither) the last one."""

    async def run(app: App) -> None:
        chosen = _ids_since(app, since) if since else list(entries)
        async with app.portal.addresses_settled:
            plan = await app.undo.plan(chosen)
            for line in plan.lines():
                click.echo(line)
            if not plan.steps and not plan.obstacles:
                return
            _confirm(plan, yes=yes)
            results = await app.undo.run(plan)
        for result in results:
            recreated = result.step.action == "recreate" and not result.error
            new_id = say(", now {id}", id=result.id) if recreated else ""
            error = f": {result.error}" if result.error else ""
            click.echo(f"{'✗' if result.error else '✓'} {result.step}{new_id}{error}")
            for remark in result.remarks:
                click.echo(f"  {remark}")
        if len(results) < len(plan.steps) or results[-1].error:
            sys.exit(1)

    on_the_portal(run, profile)


def _ids_since(app: App, first: str) -> list[str]:
    ids = [entry.id for entry in app.history.entries() if entry.outcome != "refused"]
    # One that is not there is refused where all are looked up.
    return ids[ids.index(first) :] if first in ids else [first]


def _confirm(plan: UndoPlan, *, yes: bool) -> None:
    if plan.obstacles:
        raise click.ClickException(
            say("Nothing was sent. Remove the obstacles in the lines with !, then try again.")
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(
            say("Nothing was sent: without a terminal nobody can confirm it. Add --yes.")
        )
    click.confirm(say("Do it?"), default=False, abort=True)
