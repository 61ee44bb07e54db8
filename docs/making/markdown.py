"""Markdown of texts and rows that the code holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bi_mcp.base.language import say

Row = tuple[str, ...]


def table(head: Row, rows: Sequence[Row]) -> str:
    """A table; the cells are Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def said(template: str) -> str:
    """A template without values, as Markdown."""
    return escaped(say(template))


def escaped(text: str) -> str:
    """Text of the code as Markdown that shows it as it is, in one line. What stands in backticks is code there, too."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    shown = [part if part.startswith("`") else re.sub(r"([<*\[])", r"\\\1", part) for part in parts]
    return "".join(shown).replace("|", "\\|")
