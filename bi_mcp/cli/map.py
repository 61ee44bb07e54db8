"""`bi-mcp map`."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from bi_mcp.base.language import say
from bi_mcp.cli.chosen_portal import on_the_portal

if TYPE_CHECKING:
    from bi_mcp.app.app import App
    from bi_mcp.diagnostics.portal.portal_map import PortalMap


@click.command("map", short_help="Show all connectors, sources and datasets with their health.")
@click.option(
    "--svg",
    "svg_file",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    help="Write an SVG to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the map as JSON.")
@click.option("--mermaid", is_flag=True, help="Print the map as Mermaid text.")
@click.option("--diagnose", is_flag=True, help="Call the endpoints too, and check every dataset.")
@click.option("--profile", help="Map this profile's portal. Default: the default one.")
def map_portal(
    svg_file: IO[str] | None, as_json: bool, mermaid: bool, diagnose: bool, profile: str | None
) -> None:
    r"""Show all connectors, sources and datasets as a tree, with what is wrong with each. Changes nothing.

    No endpoint is called unless you pass --diagnose; until then an object without a fault is "not checked".

    \b
    Examples:
      bi-mcp map
      bi-mcp map --diagnose
      bi-mcp map --svg portal.svg
      bi-mcp map --mermaid > portal.mmd
      bi-mcp map --json
    """
    from bi_mcp.diagnostics.portal.map_mermaid import render_mermaid
    from bi_mcp.diagnostics.portal.map_svg import render_svg
    from bi_mcp.diagnostics.portal.map_text import render_tree

    if (svg_file is not None) + mermaid + as_json > 1:
        raise click.UsageError(say("--svg, --mermaid and --json exclude each other. Choose one."))
    found = on_the_portal(_diagnose if diagnose else _read, profile)
    if svg_file is not None:
        svg_file.write(render_svg(found))
    elif as_json:
        click.echo(found.model_dump_json(exclude_none=True, indent=2))
    else:
        click.echo(render_mermaid(found) if mermaid else render_tree(found), nl=not mermaid)


async def _read(app: App) -> PortalMap:
    from bi_mcp.diagnostics.portal.health import read_portal_map

    return await read_portal_map(app.bi)


async def _diagnose(app: App) -> PortalMap:
    from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal

    return await diagnose_portal(app.bi, app.portal.caller)
