"""The action of `bi-mcp map`."""

from __future__ import annotations

from typing import IO

import click

from bi_mcp.app.app import App
from bi_mcp.cli.actions.portal import on_the_portal
from bi_mcp.diagnostics.portal.health import read_portal_map
from bi_mcp.diagnostics.portal.map_mermaid import render_mermaid
from bi_mcp.diagnostics.portal.map_svg import render_svg
from bi_mcp.diagnostics.portal.map_text import render_tree
from bi_mcp.diagnostics.portal.portal_map import PortalMap


def print_map(
    svg_file: IO[str] | None, *, as_json: bool, mermaid: bool, diagnose: bool, profile: str | None
) -> None:
    """Print the map of a portal, or write it to an SVG file."""

    async def read(app: App) -> PortalMap:
        if diagnose:
            # Imported here: it brings everything that calls connectors.
            from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal

            return await diagnose_portal(app.bi, app.portal.caller)
        return await read_portal_map(app.bi)

    found = on_the_portal(read, profile)
    if svg_file is not None:
        svg_file.write(render_svg(found))
    elif as_json:
        click.echo(found.model_dump_json(exclude_none=True, indent=2))
    else:
        click.echo(render_mermaid(found) if mermaid else render_tree(found), nl=not mermaid)
