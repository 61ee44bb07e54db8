"""What people call an object of a group. In keys, files and JSON it stays the group's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say, text

if TYPE_CHECKING:
    from bi_mcp.rest.groups import Group

NOUNS = {"connector": text("connector"), "source": text("source"), "dataset": text("dataset")}


def noun(group: Group) -> str:
    """`dataset`, in the language that is spoken."""
    return say(NOUNS[group])
