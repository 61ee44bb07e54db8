"""What the documents at the root name is there: files, packages, decisions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bi_mcp"
NAMED = re.compile(
    r"`((?:[\w.]+/)*test_\w+\.py|(?:bi_mcp|benchmarks|docs|requirements|tests)/[\w./-]*\w|(?:\w+/)+\w+\.\w+)`"
)
ROW = re.compile(r"^\| `(\w+)(/|\.py)` \| (.+) \|$", re.MULTILINE)
FILE = re.compile(r"`(\w+\.py|\w+/)`")
# Stands for a name of the reader's own.
PLACEHOLDER = re.compile(r"[A-Z]{4,}")
# Not a part of the architecture.
UNNAMED = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}
DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
LAYOUT = (
    (ROOT / "ARCHITECTURE.md")
    .read_text(encoding="utf-8")
    .split("\n## Layout\n")[1]
    .split("Beside the package")[0]
)


def missing(text: str) -> list[str]:
    """Return the paths in a text that lead nowhere, from the root, the package or the tests."""
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    named = {name for name in NAMED.findall(text) if not PLACEHOLDER.search(name)}
    return [
        name
        for name in sorted(named)
        if name not in tests
        and not any((folder / name).exists() for folder in (ROOT, PACKAGE, ROOT / "tests"))
    ]


@pytest.mark.parametrize(
    "path", [*(ROOT / name for name in DOCUMENTS), *DECISIONS], ids=lambda path: path.name
)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    assert missing(path.read_text(encoding="utf-8")) == []


def test_a_file_that_is_not_there_is_found() -> None:
    assert missing(
        "`bi_mcp/errors.py` `bi_mcp/nowhere.py` `rest/methods.py` `rest/nowhere.py` `test_nowhere.py`"
    ) == [
        "bi_mcp/nowhere.py",
        "rest/nowhere.py",
        "test_nowhere.py",
    ]


def test_the_layout_lists_what_the_package_holds() -> None:
    listed = {name + (".py" if end == ".py" else "") for name, end, _ in ROW.findall(LAYOUT)}
    # A folder that was moved may be left behind with what Python compiled.
    held = {path.name for path in PACKAGE.iterdir() if path.is_file() or (path / "__init__.py").exists()}
    assert listed == held - UNNAMED


@pytest.mark.parametrize(
    ("name", "end", "about"), ROW.findall(LAYOUT), ids=lambda value: value if value.isalpha() else ""
)
def test_the_layout_names_files_that_are_there(name: str, end: str, about: str) -> None:
    assert (PACKAGE / f"{name}{end}").exists()
    parts = [part for part in FILE.findall(about) if not part.startswith(f"{name}/")]
    assert [part for part in parts if not any((PACKAGE / name).rglob(part.rstrip("/")))] == []


def test_the_architecture_stays_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 250


def test_the_index_links_every_decision() -> None:
    index = (ROOT / "docs/decisions/index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\(([\w-]+\.md)\)", index)) == [
        path.name for path in DECISIONS if path.name != "index.md"
    ]


@pytest.mark.parametrize(
    "path", [path for path in DECISIONS if path.name != "index.md"], ids=lambda path: path.stem
)
def test_a_decision_has_its_three_parts_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert len(text.splitlines()) <= 30
