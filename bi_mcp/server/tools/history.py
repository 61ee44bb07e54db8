"""`history_list`: what was changed on a portal, by whom, and what was undone."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answers import FROM_OUTSIDE, Answer
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.tool import ToolDeclaration

PAGE_SIZE = 20


class Changes(Answer):
    """A page of changes, the newest first. `lines` tell them to a reader."""

    entries: list[dict[str, Any]]
    more: bool
    lines: Annotated[SkipJsonSchema[list[str]], Field(exclude=True, default_factory=list)]

    def headline(self) -> str:
        if not self.lines:
            return "no such changes are recorded here."
        rest = "more: ask for the next page" if self.more else "no more"
        return f"{len(self.lines)} changes, newest first, times in UTC; {rest}. {FROM_OUTSIDE}"

    def text(self, tool: str) -> str:
        """A line for each change: JSON would say the same at twice the length."""
        return self.text_with(tool, "\n".join(self.lines))


async def history_list(
    ctx: BiContext,
    object: Annotated[str | None, Field(description='"dataset 5", or part of a name')] = None,
    page: Annotated[int, Field(ge=1)] = 1,
) -> Changes:
    """List recorded changes, newest first: when, who, object, columns, the entry for workspace_undo, undone or not."""
    # Imported here: few chats need it.
    from bi_mcp.history.description import describe_entry, tell_entry

    shown = await app_of(ctx).seen_history.page(page, PAGE_SIZE, object)
    return Changes(
        entries=[describe_entry(entry, shown.reverted.get(entry.id)) for entry in shown.entries],
        more=shown.more,
        lines=[tell_entry(entry, shown.reverted.get(entry.id)) for entry in shown.entries],
    )


TOOLS = (ToolDeclaration(history_list, title="List changes", own_effect=Effect.READ),)
