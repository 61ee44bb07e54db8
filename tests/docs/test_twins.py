"""Each guide is there in Russian, too, and a Russian page leads to Russian pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUSSIAN = DOCS / "ru"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#:\s]+\.md)")
# The overview says where the pages are that are English only.
TO_ENGLISH = {
    ("index.md", "index.md"),
    ("tutorial.md", "index.md"),
    ("how-to/assistant.md", "how-to/assistant.md"),
}


def guides(docs: Path) -> set[str]:
    return {page.relative_to(docs).as_posix() for page in docs.glob("how-to/*.md")} | {
        "index.md",
        "tutorial.md",
    }


def test_each_english_guide_has_a_russian_twin_and_each_twin_its_english_guide() -> None:
    # What is below reference/ was made by a build of the site.
    pages = {page.relative_to(RUSSIAN).as_posix() for page in RUSSIAN.rglob("*.md")}
    assert guides(DOCS) == {page for page in pages if not page.startswith("reference/")}


@pytest.mark.parametrize("page", sorted(guides(DOCS)))
def test_a_guide_and_its_twin_are_in_the_navigation(page: str) -> None:
    entries = re.findall(
        r"^ +- [^\n]+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {page, f"ru/{page}"} <= set(entries)


@pytest.mark.parametrize("page", sorted(guides(DOCS)))
def test_a_russian_page_leads_to_russian_pages_where_there_are_some(page: str) -> None:
    led = LINK.findall((RUSSIAN / page).read_text(encoding="utf-8"))
    targets = {(RUSSIAN / page).parent.joinpath(link).resolve() for link in led}
    english = {path.relative_to(DOCS).as_posix() for path in targets if not path.is_relative_to(RUSSIAN)}
    assert {(page, target) for target in english & guides(DOCS)} <= TO_ENGLISH
