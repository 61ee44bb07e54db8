"""The tutorial is carried out as it is written, in an empty home, and prints what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.making.console import Command, FileText, Home, Step, parse_steps

DOCS = Path(__file__).parents[2] / "docs"


def steps_of(page: str) -> list[Step]:
    return parse_steps((DOCS / page).read_text(encoding="utf-8"))


def carry_out(page: str, folder: Path) -> int:
    """How many outputs were compared."""
    home = Home(folder)
    compared = 0
    for step in steps_of(page):
        if isinstance(step, FileText):
            home.write(step)
            continue
        printed = home.run(step)
        assert step.agrees(printed), (
            f"{page} shows for `{step.typed}`\n{step.shown}\nbut it printed\n{printed}"
        )
        compared += step.shown is not None
    return compared


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    assert carry_out("tutorial.md", tmp_path) > 10


@pytest.mark.parametrize(
    ("shown", "printed", "agrees"),
    [
        ("2 done.", "2 done.  \n", True),
        ("2 done.", "3 done.\n", False),
        ("…\n2 done.", "Portal: embedded\n\n2 done.\n", True),
        ("Checksum: …", "Checksum: 0123\n", True),
        ("Checksum: …", "Error: no\n", False),
        (None, "Error: no\n", True),
    ],
)
def test_shown_output_is_compared_but_for_what_is_left_out(
    shown: str | None, printed: str, agrees: bool
) -> None:
    assert Command("bi-mcp plan", shown).agrees(printed) is agrees


def test_a_command_is_run_in_the_shell_of_those_before_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run(Command("export COLOUR='a b'", None))
    assert home.run(Command('printf "$COLOUR"', None)) == "a b"


def test_a_file_is_written_and_added_to(tmp_path: Path) -> None:
    page = '```yaml title="a"\n1\n```\n\n```yaml title="a, added at the end"\n2\n```\n'
    home = Home(tmp_path)
    for step in parse_steps(page):
        assert isinstance(step, FileText)
        home.write(step)
    assert (tmp_path / "a").read_text(encoding="utf-8") == "1\n2\n"
