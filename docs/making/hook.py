"""What mkdocs runs before it builds: the pages and pictures that are made of the code, written only where they changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docs.making.pictures import build_pictures
from docs.making.reference import build_pages

DOCS = Path(__file__).parents[1]
ALTERNATE = re.compile(r'<link rel="alternate"[^>]*>')
HOMES = {"en": "./", "ru": "ru/"}


def on_pre_build(config: object) -> None:  # noqa: ARG001  mkdocs passes it by name
    """Write them below `docs`, where git ignores them."""
    for path, text in (build_pages() | build_pictures(DOCS)).items():
        file = DOCS / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # A file that is written anew without need would make `mkdocs serve` build for ever.
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def on_page_context(context: dict[str, Any], page: Any, config: Any, nav: Any) -> dict[str, Any]:
    """The frame of a Russian page, its search included, is Russian; the switch of languages leads to the page's twin.

    mkdocs, whose types these are, is not there where types are checked.
    """
    russian = page.url.startswith("ru/")
    config.theme["language"] = "ru" if russian else "en"
    there = {other.url for other in nav.pages}
    english = page.url.removeprefix("ru/")
    twins = {"en": english or "./", "ru": f"ru/{english}"}
    for other in config.extra["alternate"]:
        twin = twins[other["lang"]]
        other["link"] = twin if twin in there else HOMES[other["lang"]]
    return context


def on_post_page(output: str, page: object, config: object) -> str:  # noqa: ARG001  mkdocs passes them by name
    """Without the notes for machines of which language is where: the theme would look for a map of the site at each of them."""
    return ALTERNATE.sub("", output)
