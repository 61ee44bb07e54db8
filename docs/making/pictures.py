"""The pictures of the pages: what the commands draw, and the demo as a terminal shows it."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import anyio
from rich.console import Console

from bi_mcp import demo
from docs.making.console import Command, Home

WIDTH = 120
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def build_pictures(docs: Path) -> dict[str, str]:
    """SVG files: path below `docs` -> text."""
    tutorial = (docs / "tutorial.md").read_text(encoding="utf-8")
    return {"pictures/map.svg": draw_map(tutorial), "pictures/demo.svg": record_demo()}


def draw_map(tutorial: str) -> str:
    """The map of the portal as the tutorial leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.leave_as(tutorial)
        home.run(Command("bi-mcp map --svg map.svg", None))
        return (home.folder / "map.svg").read_text(encoding="utf-8")


def record_demo() -> str:
    """The whole demo. Raises ValueError when a step of it did not do what it should."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    if anyio.run(demo.run, console) != 0:
        raise ValueError("The demo failed; run `bi-mcp demo`.")
    # Without the fonts that rich would load from elsewhere.
    return FONTS.sub("", console.export_svg(title="bi-mcp demo", unique_id="demo"))
