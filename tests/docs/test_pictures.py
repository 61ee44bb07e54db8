"""The pictures of the site show what the commands print now, in the reader's language, and the pages tell it in words, too."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from docs.making.console import Home
from docs.making.pictures import SCENES, build_pictures
from docs.making.terminal import Terminal

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = re.compile(r"!\[([^\]]*)\]\((?:\.\./)*(pictures/[\w.-]+\.svg)\)")


@pytest.fixture(scope="module")
def pictures() -> dict[str, str]:
    return build_pictures(DOCS)


def text_of(picture: str) -> str:
    """What can be read in it."""
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture))).replace("\xa0", " ")


@pytest.mark.campaign("documentation carried out")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("start.en", "Commands: "),
        ("install.en", '"mcpServers"'),
        ("plan-apply.en", "Apply it? [y/N]: y"),
        ("plan-apply.ru", "Применить?"),
        ("diagnose.en", "[column_renamed]"),
        ("diagnose.ru", "регистр букв в кодах учитывается"),
        ("profile.en", "Rows by CARRIER"),
        ("profile.ru", "Строки по CARRIER"),
        ("undo.en", "undone"),
        ("undo.ru", "отменено"),
    ],
)
def test_a_picture_shows_what_a_command_prints(pictures: dict[str, str], name: str, said: str) -> None:
    assert said in text_of(pictures[f"pictures/{name}.svg"])


@pytest.mark.campaign("documentation carried out")
def test_pictures_load_nothing_and_name_no_folder_of_this_machine(pictures: dict[str, str]) -> None:
    for picture in pictures.values():
        assert not re.search(r"url\((?!#)|(?:href|src)=\"(?!#)", picture)
        assert str(DOCS.parent) not in picture
        assert "/tmp" not in picture  # noqa: S108  looked for, not used


def test_what_differs_between_two_runs_is_not_shown(tmp_path: Path) -> None:
    terminal = Terminal(Home(tmp_path))
    assert (
        terminal.run("echo 9f3a2c10 9f3a2c10 81b0d4e7 $HOME/bi.yaml")
        == "11111111 11111111 22222222 ~/bi.yaml"
    )
    assert terminal.run("echo at $(date '+%Y-%m-%d %H:%M') sharp") == "at 2026-01-15 10:30 sharp"
    assert terminal.run(r"printf '1 of 2\r2 of 2\n'") == "2 of 2"


def test_whoever_sits_at_the_terminal_agrees(tmp_path: Path) -> None:
    asked = "read -p 'Do it? [y/N]: ' answer; echo so: $answer"
    assert Terminal(Home(tmp_path)).run(asked) == "Do it? [y/N]: y\nso: y"


@pytest.mark.campaign("documentation carried out")
def test_each_picture_is_on_a_page_and_told_in_words(pictures: dict[str, str]) -> None:
    shown = {
        (path, words)
        for page in DOCS.rglob("*.md")
        for words, path in PICTURE.findall(page.read_text(encoding="utf-8"))
    }
    assert {path for path, _ in shown} == set(pictures)
    assert [path for path, words in shown if len(words) < 30] == []


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_on_an_english_page_and_in_russian_on_its_twin(name: str) -> None:
    on = {
        page for page in DOCS.rglob("*.md") if f"pictures/{name}.en.svg" in page.read_text(encoding="utf-8")
    }
    assert on
    for page in on:
        twin = DOCS / "ru" / page.relative_to(DOCS)
        assert f"pictures/{name}.ru.svg" in twin.read_text(encoding="utf-8")
