"""`bi-mcp export`, `plan`, `apply`, `adopt` and `schema`: a portal's setup as a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say
from bi_mcp.cli.chosen_portal import on_the_portal, profile_option
from bi_mcp.cli.setup_input import DEFAULT_FILE, check_folder, keeper_of, read_existing, read_file, write_text
from bi_mcp.cli.setup_output import count_entries, print_left_out, print_plan, print_report, tell_progress

if TYPE_CHECKING:
    from bi_mcp.app.app import App
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.workspace import Workspace


Command = Callable[..., None]

file_argument = click.argument("file", required=False)


def plan_options(command: Command) -> Command:
    """The options that decide which plan is made."""
    for option in (
        click.option("--prune", is_flag=True, help="Delete what the portal has and the file does not."),
        click.option(
            "--map-url",
            "urls",
            metavar="OLD=NEW",
            multiple=True,
            help="Begin endpoints with NEW instead of OLD.",
        ),
        click.option(
            "--map-secret",
            "secrets",
            metavar="OLD=NEW",
            multiple=True,
            help="Refer to NEW instead of the secret OLD.",
        ),
    ):
        command = option(command)
    return command


@click.command(short_help="Write a portal's setup to a file.")
@file_argument
@click.option(
    "--show-settings", metavar="CODES", help="Codes of settings whose values may be written: host,region"
)
@profile_option
def export(file: str | None, show_settings: str | None, profile: str | None) -> None:
    r"""Write everything that the portal has to FILE, or print it.

    An existing file keeps its comments, its order and its keys. What may be a secret becomes a reference to a variable; the
    names of these variables are printed.

    \b
    Examples:
      bi-mcp export bi.yaml
      bi-mcp export --profile test > bi.yaml
    """

    async def run(app: App) -> None:
        from bi_mcp.setup.file import read_setup, write_setup

        path = Path(file) if file and file != "-" else None
        if path:
            check_folder(path)
        text = read_existing(path) if path and path.exists() else None
        existing = None if text is None else read_setup(text, str(path))
        workspace = app.workspace(keeper_of(app, file))
        exported = await workspace.export(shown_settings=app.shown_settings, existing=existing)
        text = write_setup(exported.setup, text)
        print_left_out(exported)
        if path is None:
            click.echo(text, nl=False)
            return
        write_text(path, text)
        workspace.remember(exported)
        click.echo(f"{path}: {count_entries(exported.setup)}", err=True)

    on_the_portal(run, profile, show_settings)


@click.command(short_help="Show what applying a file would do.")
@file_argument
@plan_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For a terminal, a pull request, or machines.",
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 0: nothing to do, 2: changes, 1: error.")
@profile_option
def plan(
    file: str | None,
    prune: bool,
    urls: tuple[str, ...],
    secrets: tuple[str, ...],
    form: str,
    detailed_exitcode: bool,
    profile: str | None,
) -> None:
    r"""Compare FILE (bi.yaml; - is standard input) with the portal and print what would be done. Changes nothing.

    \b
    Examples:
      bi-mcp plan
      bi-mcp plan bi.yaml --profile prod --detailed-exitcode
      bi-mcp plan --format markdown > comment.md
    """

    async def run(app: App) -> None:
        setup, keeper = read_file(app, file, urls, secrets)
        planned = await app.workspace(keeper).plan(setup, prune=prune)
        print_plan(planned.plan, form)
        if planned.plan.obstacles:
            sys.exit(1)
        if detailed_exitcode and planned.plan.changes:
            sys.exit(2)

    on_the_portal(run, profile)


@click.command(short_help="Make the portal as a file says.")
@file_argument
@plan_options
@click.option("--checksum", help="Apply the plan that has this checksum, without a question.")
@click.option("--yes", is_flag=True, help="Apply without a question whatever the plan is.")
@click.option("--no-check", is_flag=True, help="Do not call the connectors' endpoints first.")
@click.option(
    "--max-deletions",
    default=10,
    show_default=True,
    help="Refuse a plan that deletes or replaces more objects.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds that the portal may still be at work on a request that was cut off.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@profile_option
def apply(
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
    r"""Show the plan of FILE (bi.yaml; - is standard input), ask, and carry it out.

    An application that was cut off is taken up where it ended. Ends with status 1 where something was not done.

    \b
    Examples:
      bi-mcp apply
      bi-mcp apply bi.yaml --profile prod --checksum 0123456789abcdef
      bi-mcp export --profile test | bi-mcp apply --profile prod --map-url https://test.example=https://prod.example
    """

    async def run(app: App) -> None:
        from bi_mcp.setup.state_file import lock

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
            if not (checksum or yes or _agreed(planned.plan)):
                return
            async with app.portal.addresses_settled:
                application = await workspace.prepare(
                    setup,
                    seen,
                    prune=prune,
                    check=not no_check,
                    most_deletions=max_deletions,
                    progress=tell_progress,
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


@click.command(short_help="Say which object a key of a file stands for.")
@click.argument("assignments", metavar="GROUPS.KEY=ID...", nargs=-1, required=True)
@click.option("--file", default=DEFAULT_FILE, show_default=True, help="The setup file.")
@profile_option
def adopt(assignments: tuple[str, ...], file: str, profile: str | None) -> None:
    r"""Remember that a key of the file stands for an object that the portal has already.

    \b
    Example:
      bi-mcp adopt connectors.sales=5 sources.sales_prod=12
    """

    async def run(app: App) -> None:
        from bi_mcp.setup.state_file import lock

        setup, keeper = read_file(app, file, (), ())
        workspace: Workspace = app.workspace(keeper)
        with lock(keeper):
            for assignment in assignments:
                await workspace.adopt(setup, assignment)
                click.echo(say("{assignment} is remembered.", assignment=assignment))

    on_the_portal(run, profile)


@click.command(short_help="Print the JSON Schema of a setup file.")
def schema() -> None:
    r"""Print the JSON Schema of a setup file, for editors.

    \b
    Example:
      bi-mcp schema > bi-mcp.schema.json
    """
    from bi_mcp.setup.schema import setup_schema

    click.echo(json.dumps(setup_schema(), indent=1, ensure_ascii=False))


def _agreed(plan: Plan) -> bool:
    if plan.obstacles:
        raise click.ClickException(
            say("Nothing was sent: remove what stands in the way (lines with !), then apply again.")
        )
    if not sys.stdin.isatty():
        raise click.ClickException(
            say(
                "Nothing was sent: nobody is there to be asked. Look at the plan, then apply with --checksum {checksum}.",
                checksum=plan.checksum,
            )
        )
    return click.confirm(say("Apply it?"), default=False)
