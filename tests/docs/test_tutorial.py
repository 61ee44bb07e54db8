"""The tutorial is carried out as it is written, in an empty home, and prints what it shows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bi_mcp.practice import sample
from docs.making.console import Command, FileText, Home, Step, copied, parse_steps

DOCS = Path(__file__).parents[2] / "docs"

GUIDES = [
    f"how-to/{name}.md"
    for name in ("connect-files", "empty-chart", "rotate-password", "production", "ci", "team")
]
TRANSLATED = [f"ru/{page}" for page in ("tutorial.md", *GUIDES)]


def steps_of(page: str) -> list[Step]:
    return parse_steps((DOCS / page).read_text(encoding="utf-8"))


def carry_out(page: str, home: Home) -> int:
    """How many outputs were compared."""
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


def test_each_guide_that_shows_commands_is_carried_out() -> None:
    shows = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if commands_of(page)}
    assert shows == {"tutorial.md", *GUIDES, *TRANSLATED}


def commands_of(page: Path) -> list[str]:
    steps = parse_steps(page.read_text(encoding="utf-8"))
    return [step.typed for step in steps if isinstance(step, Command)]


@pytest.fixture(scope="session")
def after_tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a reader who has finished the tutorial."""
    folder = tmp_path_factory.mktemp("reader") / "home"
    folder.mkdir()
    Home(folder).leave_as((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    return folder


@pytest.mark.campaign("documentation carried out")
@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_does_what_it_says_where_the_tutorial_ended(page: str, after_tutorial: Path) -> None:
    with copied(after_tutorial) as home:
        assert carry_out(page, home) > 0


@pytest.mark.parametrize("page", TRANSLATED)
def test_a_translation_has_the_commands_files_and_outputs_of_the_english_page(page: str) -> None:
    assert steps_of(page) == steps_of(page.removeprefix("ru/"))


@pytest.mark.campaign("documentation carried out")
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    assert carry_out("tutorial.md", Home(tmp_path)) > 10


def test_the_charts_of_the_tutorial_show_what_is_in_the_data() -> None:
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    with Path(sample.__file__).with_name("data").joinpath("flights.csv").open(encoding="utf-8") as file:
        flights = list(csv.DictReader(file))
    delays = [int(flight["DEPARTURE_DELAY"]) for flight in flights if flight["DEPARTURE_DELAY"]]
    assert f"{len(flights)} rows\nSum of DEPARTURE_DELAY: {sum(delays)}\n" in page
    assert f"{len(flights) - len(delays)} rows\n" in page
    long = [
        flight
        for flight in flights
        if flight["CARRIER"] in {"UA", "AA"} and 120 <= int(flight["DEPARTURE_DELAY"] or 0) <= 180
    ]
    assert f"{len(long)} rows\n" in page


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
