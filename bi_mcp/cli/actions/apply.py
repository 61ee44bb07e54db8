"""The actions of `bi-mcp plan` and `apply`."""

from __future__ import annotations

import sys

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal import on_the_portal
from bi_mcp.cli.actions.setup_input import read_file
from bi_mcp.cli.actions.setup_output import print_plan, print_progress, print_report
from bi_mcp.setup.plan import Plan
from bi_mcp.setup.state_file import lock


def show_plan(
    file: str | None,
    prune: bool,
    urls: tuple[str, ...],
    secrets: tuple[str, ...],
    form: str,
    detailed_exitcode: bool,
    profile: str | None,
) -> None:
    """Print the plan of a setup file."""

    async def run(app: App) -> None:
        setup, keeper = read_file(app, file, urls, secrets)
        planned = await app.workspace(keeper).plan(setup, prune=prune)
        print_plan(planned.plan, form)
        if planned.plan.obstacles:
            sys.exit(1)
        if detailed_exitcode and planned.plan.changes:
            sys.exit(2)

    on_the_portal(run, profile)


def apply_setup(
    file: str | None,
    prune: bool,
    urls: tuple[str, ...],
    secrets: tuple[str, ...],
    checksum: str | None,
    yes: bool,
    no_check: bool,
    max_deletions: int,
    settle: float,
    as_json: bool,
    profile: str | None,
) -> None:
    """Show the plan of a setup file, ask, and carry it out."""

    async def run(app: App) -> None:
        setup, keeper = read_file(app, file, urls, secrets)
        workspace = app.workspace(keeper)
        workspace.settled_after = settle
        with lock(keeper):
            await workspace.resume()
            planned = await workspace.plan(setup, prune=prune)
            seen = checksum or planned.plan.checksum
            if checksum is None:
                print_plan(planned.plan, "text", err=as_json)
            if not planned.plan.changes:
                workspace.remember_pairs(planned)
                return
            if not (checksum or yes or _confirm(planned.plan)):
                return
            async with app.portal.addresses_settled:
                application = await workspace.prepare(
                    setup,
                    seen,
                    prune=prune,
                    check=not no_check,
                    most_deletions=max_deletions,
                    progress=print_progress,
                )
                try:
                    report = await application.run()
                except BaseException:
                    # Cancelled between two steps, or stopped by a full disk: the steps that were made must still be reported.
                    print_report(application.report(), as_json=as_json)
                    raise
        print_report(report, as_json=as_json)
        if not report.complete:
            sys.exit(1)

    on_the_portal(run, profile)


def _confirm(plan: Plan) -> bool:
    if plan.obstacles:
        raise click.ClickException(
            say("Nothing was sent: remove the obstacles (lines with !), then apply again.")
        )
    if not sys.stdin.isatty():
        raise click.ClickException(
            say(
                "Nothing was sent: without a terminal nobody can confirm it. Look at the plan, then apply with --checksum {checksum}.",
                checksum=plan.checksum,
            )
        )
    return click.confirm(say("Apply it?"), default=False)
