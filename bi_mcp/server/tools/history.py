"""`history_list`: what was changed on a portal, by whom, and what was undone."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bi_mcp.app.app import App
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
            return "no such changes are recorded on this machine."
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
    return await to_thread.run_sync(_list_changes, app_of(ctx), object, page)


def _list_changes(app: App, object: str | None, page: int) -> Changes:
    # Imported here: few chats need it.
    from bi_mcp.history.description import about_object, describe_entry, tell_entry
    from bi_mcp.history.entries import find_undone

    entries = app.history.entries()
    reverted = find_undone(entries)
    wanted = [*reversed(about_object(entries, object) if object else entries)]
    shown = wanted[PAGE_SIZE * (page - 1) : PAGE_SIZE * page]
    return Changes(
        entries=[describe_entry(entry, reverted.get(entry.id)) for entry in shown],
        more=len(wanted) > PAGE_SIZE * page,
        lines=[tell_entry(entry, reverted.get(entry.id)) for entry in shown],
    )


TOOLS = (ToolDeclaration(history_list, title="List changes", own_effect=Effect.READ),)
