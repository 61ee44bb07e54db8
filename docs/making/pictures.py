"""The pictures of the pages: what commands draw and print, recorded on the practice portal."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import anyio
from rich.console import Console

from bi_mcp.base.language import LANGUAGES, Language
from bi_mcp.practice import demo
from docs.making.console import Command, FileText, Home, copied
from docs.making.terminal import Terminal, draw, svg_of

WIDTH = 120

# A column under another code than outside, one that is not there, and one of another type than its values.
BROKEN = FileText(
    "bi.yaml",
    """datasets:
  flights:
    source: new_york
    externalCode: flights
    externalName: Flights
    columns:
      - {name: DAY, externalCode: FLIGHT_DATE, type: date}
      - {name: CARRIER, externalCode: Carrier, type: string}
      - {name: DELAY, externalCode: DEPARTURE_DELAY, type: string}
      - {name: GATE, externalCode: gate, type: string}
""",
    added=True,
)


# How far the tutorial has gone: up to this command, or to its end.
STAGES: Mapping[str, str] = {"nothing": "$ bi-mcp secret", "file": "$ bi-mcp plan", "end": ""}


class Scene(NamedTuple):
    """Commands that somebody types who is at a stage of the tutorial. `before`: what was done unseen, with a `file` or without."""

    stage: str
    typed: tuple[str, ...]
    before: tuple[str, ...] = ()
    file: FileText | None = None


SCENES: Mapping[str, Scene] = {
    "start": Scene("nothing", ("bi-mcp",)),
    "install": Scene("nothing", ("bi-mcp install claude-desktop --print",)),
    "plan-apply": Scene("file", ("bi-mcp plan", "bi-mcp apply")),
    "diagnose": Scene("file", ("bi-mcp diagnose 1",), ("bi-mcp apply --yes",), BROKEN),
    "undo": Scene(
        "end",
        ("bi-mcp undo --last", "bi-mcp history"),
        ("sed -i.bak 's/title: Airlines/title: Airlines of 2013/' bi.yaml", "bi-mcp apply --yes"),
    ),
}


def build_pictures(docs: Path) -> dict[str, str]:
    """SVG files: path below `docs` -> text."""
    tutorial = (docs / "tutorial.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        homes = {name: Path(folder, name) for name in STAGES}
        for name, until in STAGES.items():
            homes[name].mkdir()
            Home(homes[name]).leave_as(tutorial.partition(until)[0] if until else tutorial)
        pictures = {"pictures/map.svg": draw_map(homes["end"]), "pictures/demo.svg": record_demo()}
        for language in LANGUAGES:
            pictures[f"pictures/profile.{language}.svg"] = draw_profile(homes["end"], language)
            for name, scene in SCENES.items():
                pictures[f"pictures/{name}.{language}.svg"] = record(
                    name, scene, homes[scene.stage], language
                )
    return pictures


def record(name: str, scene: Scene, stage: Path, language: Language) -> str:
    """What a terminal shows in a home like that of the stage."""
    with copied(stage) as home:
        if scene.file is not None:
            home.write(scene.file)
        for command in scene.before:
            home.run(Command(command, None))
        terminal = Terminal(home, language)
        screens = [(command, terminal.run(command)) for command in scene.typed]
    return draw(scene.typed[0], screens, name)


def draw_map(stage: Path) -> str:
    """The map of the portal as the tutorial leaves it."""
    with copied(stage) as home:
        home.run(Command("bi-mcp map --diagnose --svg map.svg", None))
        return (home.folder / "map.svg").read_text(encoding="utf-8")


def draw_profile(stage: Path, language: Language) -> str:
    """The profile of the dataset as the tutorial leaves it."""
    with copied(stage) as home:
        home.run(Command(f"bi-mcp profile 1 --svg profile.svg --language {language}", None))
        return (home.folder / "profile.svg").read_text(encoding="utf-8")


def record_demo() -> str:
    """The whole demo. Raises ValueError when a step of it did not do what it should."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    if anyio.run(demo.run, console) != 0:
        raise ValueError("The demo failed; run `bi-mcp demo`.")
    return svg_of(console, "bi-mcp demo", "demo")
