"""What the model sees of each tool, at the last release and now, and whether the changelog tells the difference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from subprocess import run

FOLDER = "tests/server/contract"
_HEADING = re.compile(r"^## (\S+)", re.MULTILINE)

Surface = Mapping[str, str]
"""Tool -> its contract as text."""


def last_release(checkout: Path) -> str | None:
    """The newest version tag (`v1.2.3`) that leads to the commit of a checkout; None before the first release."""
    tags = git(checkout, "tag", "--merged", "HEAD", "--sort=-version:refname", "--list", "v*").split()
    return tags[0] if tags else None


def read_surface(checkout: Path, tag: str) -> Surface:
    """The contracts as they are in the commit of a tag."""
    names = git(checkout, "ls-tree", "--name-only", tag, f"{FOLDER}/").split()
    return {Path(name).stem: git(checkout, "show", f"{tag}:{name}") for name in names}


def current_surface(checkout: Path) -> Surface:
    return {path.stem: path.read_text(encoding="utf-8") for path in (checkout / FOLDER).glob("*.json")}


def changes(before: Surface, after: Surface) -> dict[str, str]:
    """Tool -> what became of it, for every tool that is not as it was."""
    fates = dict.fromkeys(before.keys() - after.keys(), "gone")
    fates |= dict.fromkeys(after.keys() - before.keys(), "new")
    fates |= {name: "changed" for name in before.keys() & after.keys() if before[name] != after[name]}
    return dict(sorted(fates.items()))


def untold(fates: Mapping[str, str], changelog: str, tag: str) -> list[str]:
    """What the changelog's sections above the one of the release do not name in backticks."""
    since = changelog
    for heading in _HEADING.finditer(changelog):
        if heading[1] == tag.removeprefix("v"):
            since = changelog[: heading.start()]
    return [
        f"`{name}` is {fate} since {tag}, and CHANGELOG.md has no line about it"
        for name, fate in fates.items()
        if f"`{name}`" not in since
    ]


def git(checkout: Path, *arguments: str) -> str:
    # A checkout in a container often belongs to somebody else.
    command = ["git", "-c", "safe.directory=*", "-C", str(checkout), *arguments]
    finished = run(command, check=True, capture_output=True)  # noqa: S603  the developer's git
    return finished.stdout.decode()
