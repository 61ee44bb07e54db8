"""The actions of `bi-mcp export` and `adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal import on_the_portal
from bi_mcp.cli.actions.setup_input import check_folder, keeper_of, read_existing, read_file, write_text
from bi_mcp.rest.kinds import KINDS
from bi_mcp.setup.export import Exported
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.state_file import lock


def write_export(file: str | None, show_settings: str | None, profile: str | None) -> None:
    """Write the setup of a portal to a file, or print it."""

    async def run(app: App) -> None:
        path = Path(file) if file and file != "-" else None
        if path:
            check_folder(path)
        text = read_existing(path) if path and path.exists() else None
        existing = None if text is None else read_setup(text, str(path))
        workspace = app.workspace(keeper_of(app, file))
        exported = await workspace.export(shown_settings=app.shown_settings, existing=existing)
        text = write_setup(exported.setup, text)
        _print_left_out(exported)
        if path is None:
            click.echo(text, nl=False)
            return
        write_text(path, text)
        workspace.remember(exported)
        counted = ", ".join(kind.count(len(exported.setup.entries(group))) for group, kind in KINDS.items())
        click.echo(f"{path}: {counted}", err=True)

    on_the_portal(run, profile, show_settings)


def _print_left_out(exported: Exported) -> None:
    """Name the parts that an export could not write, and the variables that hold values which it does not write."""
    for sentence in exported.left_out:
        click.echo(f"! {sentence}", err=True)
    values = [value for source in exported.setup.sources.values() for value in source.settings.values()]
    variables = [value.env for value in values if not isinstance(value, str | int) and hasattr(value, "env")]
    for name in variables:
        click.echo(say("· {name} stands for a value that was not written.", name=name), err=True)
    if variables:
        click.echo(
            say(
                "  Set such a variable where the file is applied, or store the value with `bi-mcp secret set NAME --for HOST` and write {{secret: NAME}}."
            ),
            err=True,
        )


def adopt_objects(assignments: tuple[str, ...], file: str, profile: str | None) -> None:
    """Assign objects of the portal to keys of a setup file."""

    async def run(app: App) -> None:
        setup, keeper = read_file(app, file, (), ())
        workspace = app.workspace(keeper)
        with lock(keeper):
            for assignment in assignments:
                await workspace.adopt(setup, assignment)
                click.echo(say("{assignment} is remembered.", assignment=assignment))

    on_the_portal(run, profile)
