"""What can be done about a deletion afterwards."""

from __future__ import annotations

from typing import Literal, TypeAlias

from bi_mcp.base.language import say, text
from bi_mcp.server.tools.context import BiContext, app_of

_CAN = {
    "object": text("workspace_undo can create it again, with a new id."),
    "dataset": text("workspace_undo can create it again, with a new id, which charts do not follow."),
    "columns": text("workspace_undo can add them again, with new ids; charts find them by their names."),
}


Deletable: TypeAlias = Literal["object", "dataset", "columns"]


def note_revival(ctx: BiContext, what: Deletable = "object") -> str | None:
    """Say after a deletion how what was deleted comes back, where a history is kept."""
    return tell_revival(ctx, what) if app_of(ctx).keeps_history else None


def tell_revival(ctx: BiContext, what: Deletable = "object") -> str:
    """Say that what is deleted can come back, where a history is kept."""
    if not app_of(ctx).keeps_history:
        return say("This cannot be undone: no history is kept.")
    return say(_CAN[what])
