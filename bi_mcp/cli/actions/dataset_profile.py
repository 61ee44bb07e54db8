"""The action of `bi-mcp profile`."""

from __future__ import annotations

from typing import IO

import click

from bi_mcp.app.app import App
from bi_mcp.cli.actions.dataset import find_dataset_id
from bi_mcp.cli.actions.portal import on_the_portal
from bi_mcp.diagnostics.profile.profile import DatasetProfile
from bi_mcp.diagnostics.profile.profile_svg import render_svg
from bi_mcp.diagnostics.profile.profile_text import render_text
from bi_mcp.diagnostics.profile.profile_texts import texts_of_profile
from bi_mcp.diagnostics.profile.reading import read_profile
from bi_mcp.diagnostics.tables.suspicious_texts import warn_of


def print_profile(dataset: str, svg_file: IO[str] | None, *, as_json: bool, profile: str | None) -> None:
    """Print the profile of the dataset of this id or name, or write it to an SVG file."""

    async def read(app: App) -> DatasetProfile:
        return await read_profile(app.bi, app.portal.caller, await find_dataset_id(app, dataset))

    found = on_the_portal(read, profile)
    if warning := warn_of(texts_of_profile(found.model_dump(), found.first_rows)):
        click.echo(warning, err=True)
    if svg_file is not None:
        svg_file.write(render_svg(found))
    elif as_json:
        click.echo(found.model_dump_json(exclude_none=True, indent=2))
    else:
        click.echo(f"{found.name}: {render_text(found)}")
