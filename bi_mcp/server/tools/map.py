"""The tool that draws the whole portal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from bi_mcp.diagnostics.portal.map_mermaid import render_mermaid
from bi_mcp.diagnostics.portal.map_svg import render_svg
from bi_mcp.diagnostics.portal.map_text import render_lines, render_tree
from bi_mcp.diagnostics.portal.portal_map import MAX_SHOWN, PortalMap
from bi_mcp.diagnostics.tables.foreign_text import ForeignText
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answer_size import MOST_CHARACTERS
from bi_mcp.server.tools.answers import FROM_OUTSIDE, Answer
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.finding_lines import offer_calls
from bi_mcp.server.tools.tool import ToolDeclaration
from bi_mcp.server.views import MAP

Diagnose = Annotated[bool, Field(description="Also call the endpoints: check every dataset")]
Format = Literal["tree", "mermaid", "svg"]
# Tried in turn until the answer is small enough. The command always shows the most.
SIZES = (MAX_SHOWN, 200, 130, 80, 50, 30, 15)
RENDERERS = {"tree": render_tree, "mermaid": render_mermaid, "svg": render_svg}


class MappedPortal(Answer, PortalMap):
    """The objects with the most serious states as a tree, and a picture of them where one was asked for."""

    picture: str | None = None

    def headline(self) -> str:
        return f"{self.summary()}. {FROM_OUTSIDE}"

    def foreign_texts(self, content: dict[str, Any]) -> Iterable[ForeignText]:
        return (ForeignText(node["key"], node["title"], is_name=True) for node in content["nodes"])

    def text(self, tool: str) -> str:
        """The picture or the tree in lines: both are read faster than JSON."""
        return self.text_with(tool, self.picture or "\n".join(render_lines(self, offer_calls)))


async def portal_map(ctx: BiContext, format: Format = "tree", diagnose: Diagnose = False) -> MappedPortal:
    """Map all connectors, sources and datasets with their health, as text, Mermaid or SVG. Changes nothing."""
    app = app_of(ctx)
    if diagnose:
        from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal

        found = await diagnose_portal(app.bi, app.portal.caller)
    else:
        from bi_mcp.diagnostics.portal.health import read_portal_map

        found = await read_portal_map(app.bi)
    for most in SIZES:
        reduced = found.reduce(most)
        picture = None if format == "tree" else RENDERERS[format](reduced)
        mapped = MappedPortal(**reduced.model_dump(), picture=picture)
        if len(mapped.json_text()) <= MOST_CHARACTERS:
            break
    return mapped


TOOLS = (ToolDeclaration(portal_map, title="Map of the portal", own_effect=Effect.READ, view=MAP.address),)
