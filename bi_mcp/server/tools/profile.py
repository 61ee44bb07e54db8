"""The tool that shows a dataset as a chart would use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bi_mcp.diagnostics.profile.profile import DatasetProfile
from bi_mcp.diagnostics.profile.profile_texts import texts_of_profile
from bi_mcp.diagnostics.tables.foreign_text import ForeignText
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answers import FROM_OUTSIDE, Answer
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.parameters import Id
from bi_mcp.server.tools.tool import ToolDeclaration
from bi_mcp.server.views import PROFILE


class Profiled(Answer, DatasetProfile):
    """A dataset's columns, a first chart, and the first rows."""

    cut_lists = ("columns",)
    advice_if_cut = "What is cut, dataset_preview shows with select."

    def headline(self) -> str:
        return f'Dataset {self.id} "{self.name}". {FROM_OUTSIDE}'

    def foreign_texts(self, content: dict[str, Any]) -> Iterable[ForeignText]:
        return texts_of_profile(content, content["firstRows"])

    def text(self, tool: str) -> str:
        """The lines that a person would get: they are read faster than JSON."""
        # Imported here: the server starts without it.
        from bi_mcp.diagnostics.profile.profile_text import render_text

        return self.text_with(tool, render_text(self))


async def dataset_profile(ctx: BiContext, id: Id) -> Profiled:
    """Compute statistics of each column over the first 1,000 rows of a dataset: empty, distinct, least, greatest, common; and a
    first chart.
    """
    from bi_mcp.diagnostics.profile.reading import read_profile

    app = app_of(ctx)
    found = await read_profile(app.bi, app.portal.caller, id)
    return Profiled(**found.model_dump())


TOOLS = (
    ToolDeclaration(
        dataset_profile, title="Profile of a dataset", own_effect=Effect.READ, view=PROFILE.address
    ),
)
