"""A tool that differs from the last release has a line in the changelog."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.surface import (
    FOLDER,
    changes,
    current_surface,
    git,
    last_release,
    read_surface,
    untold,
)

ROOT = Path(__file__).parents[2]
TOLD = "# Changelog\n\n## 1.1.0 (unreleased)\n\n- {line}\n\n## 1.0.0\n\n- `kept`, `dropped`, `bent`\n"

pytestmark = pytest.mark.needs("git")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Version 1.0.0 is released; since then a tool has gone, one has changed and one is new."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    for name in ("kept", "dropped", "bent"):
        (folder / f"{name}.json").write_text("{}", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    git(tmp_path, "tag", "v0.9.0")
    git(tmp_path, "tag", "v1.0.0")
    (folder / "dropped.json").unlink()
    (folder / "bent.json").write_text('{"title": "Bent"}', encoding="utf-8")
    (folder / "added.json").write_text("{}", encoding="utf-8")
    return tmp_path


def commit(checkout: Path) -> None:
    git(checkout, "add", ".")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    git(checkout, *author, "commit", "--quiet", "--message", "Release")


def fates(checkout: Path) -> dict[str, str]:
    tag = last_release(checkout)
    return changes(read_surface(checkout, tag), current_surface(checkout)) if tag else {}


def test_what_became_of_each_tool_since_the_newest_release_is_found(checkout: Path) -> None:
    assert last_release(checkout) == "v1.0.0"
    assert fates(checkout) == {"added": "new", "bent": "changed", "dropped": "gone"}


def test_the_section_of_the_release_itself_tells_nothing_new(checkout: Path) -> None:
    complaints = untold(fates(checkout), TOLD.format(line="`added` adds."), "v1.0.0")
    assert [complaint.split()[0] for complaint in complaints] == ["`bent`", "`dropped`"]
    told = TOLD.format(line="`added` adds, `bent` bends, `dropped` is no more.")
    assert untold(fates(checkout), told, "v1.0.0") == []


def test_before_the_first_release_there_is_nothing_to_tell(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    commit(tmp_path)
    assert last_release(tmp_path) is None


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source distribution knows no releases")
def test_the_changelog_names_every_tool_that_differs_from_the_last_release() -> None:
    tag = last_release(ROOT)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert untold(fates(ROOT), changelog, tag or "") == []
