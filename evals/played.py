"""What assistants came to, as it was noted in `played.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("played.toml")


@dataclass(frozen=True)
class Played:
    """An assistant's attempt at a task: `characters` are those of the tools' answers, where they were counted."""

    task: str
    solved: bool
    calls: int
    characters: int | None = None


def load_played(file: Path = FILE) -> list[Played]:
    """Read what was noted."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return [Played(**entry) for entry in document.get("played", [])]
