"""What mkdocs runs before it builds: the pages and pictures that are made of the code, written only where they changed."""

from __future__ import annotations

from pathlib import Path

from docs.making.pictures import build_pictures
from docs.making.reference import build_pages

DOCS = Path(__file__).parents[1]


def on_pre_build(config: object) -> None:  # noqa: ARG001  mkdocs passes it by name
    """Write them below `docs`, where git ignores them."""
    for path, text in (build_pages() | build_pictures(DOCS)).items():
        file = DOCS / path
        file.parent.mkdir(exist_ok=True)
        # A file that is written anew without need would make `mkdocs serve` build for ever.
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
