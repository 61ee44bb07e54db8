"""The pictures of the pages: what the commands draw, and the demo as a terminal shows it."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import anyio
from rich.console import Console

from bi_mcp import demo
from docs.making.console import Command, FileText, Home, parse_steps

WIDTH = 120
# Of the tutorial's commands only these matter to what the portal holds in the end.
CHANGING = ("printf ", "sed ", "bi-mcp apply")


def build_pictures(docs: Path) -> dict[str, str]:
    """SVG files: path below `docs` -> text."""
    tutorial = (docs / "tutorial.md").read_text(encoding="utf-8")
    return {"pictures/map.svg": draw_map(tutorial), "pictures/demo.svg": record_demo()}


def draw_map(tutorial: str) -> str:
    """The map of the portal as the tutorial leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        for step in parse_steps(tutorial):
            if isinstance(step, FileText):
                home.write(step)
            elif step.typed.startswith(CHANGING):
                home.run(step)
        home.run(Command("bi-mcp map --svg map.svg", None))
        return (home.folder / "map.svg").read_text(encoding="utf-8")


def record_demo() -> str:
    """The whole demo. Raises ValueError when a step of it did not do what it should."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    if anyio.run(demo.run, console) != 0:
        raise ValueError("The demo failed; run `bi-mcp demo`.")
    return console.export_svg(title="bi-mcp demo", unique_id="demo")
