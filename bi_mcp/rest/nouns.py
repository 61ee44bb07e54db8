"""Nouns for the objects of a group, for people. Keys, files and JSON use the group's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say, text

if TYPE_CHECKING:
    from bi_mcp.rest.groups import Group

NOUNS = {"connector": text("connector"), "source": text("source"), "dataset": text("dataset")}


def noun(group: Group) -> str:
    """Return the noun for an object of a group, such as `dataset`, in the user's language."""
    return say(NOUNS[group])
