"""What people call an object of a group. In keys, files and JSON it stays the group's own name."""

from __future__ import annotations

from bi_mcp.language import say, text

NOUNS = {
    "connector": text("connector"),
    "source": text("source"),
    "dataset": text("dataset"),
    "table": text("dataset"),
}


def noun(group: str) -> str:
    """`dataset`, in the language that is spoken."""
    return say(NOUNS[group])
