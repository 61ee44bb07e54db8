"""What a page tells a reader to type, read from its fenced blocks and carried out in a home of its own.

A `console` block holds commands (`$ …`) and what they print; `…` stands for anything. A `yaml` block with
`title="NAME"` is a file; with `title="NAME, added at the end"` a later part of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDED = ", added at the end"
MOST_SECONDS = 120
# Where a home keeps its shell's variables.
BEFORE = ".before"
# What a command begins with that changes more than the screen.
CHANGING = ("printf ", "sed ", "bi-mcp apply")
# Runs the command in the shell that the commands before it left behind, and keeps that shell's variables.
SHELL = '. "$1"; eval "$2"; status=$?; export -p > "$1"; exit $status'


@dataclass(frozen=True)
class FileText:
    """A file that the reader writes, or a part that is added to it."""

    name: str
    text: str
    added: bool


@dataclass(frozen=True)
class Command:
    """A command and the output that the page shows, None where it shows none."""

    typed: str
    shown: str | None

    def agrees(self, printed: str) -> bool:
        """Whether that is what the page shows; spaces at the ends of lines do not count."""
        if self.shown is None:
            return True
        pattern = ".*?".join(map(re.escape, _trimmed(self.shown).split("…")))
        return re.fullmatch(pattern, _trimmed(printed), re.DOTALL) is not None


Step = FileText | Command


def parse_steps(page: str) -> list[Step]:
    """The files and commands of a page in their order; blocks of other kinds are for reading only."""
    return list(_steps(page))


def _steps(page: str) -> Iterator[Step]:
    for kind, title, body in FENCE.findall(page):
        if kind == "console":
            yield from _commands(body)
        elif title:
            yield FileText(title.removesuffix(ADDED), body, title.endswith(ADDED))


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        typed, _, shown = part.partition("\n")
        yield Command(typed, shown if shown.strip() else None)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


class Home:
    """A home folder of its own, with a shell that remembers what was exported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = folder / BEFORE
        self.variables.touch()

    def leave_as(self, page: str) -> None:
        """Make everything as a reader of the page has it in the end, without the looks on the way."""
        for step in parse_steps(page):
            if isinstance(step, FileText):
                self.write(step)
            elif step.typed.startswith(CHANGING):
                self.run(step)

    def write(self, file: FileText) -> None:
        """Write the file, or add to it."""
        path = self.folder / file.name
        before = path.read_text(encoding="utf-8") if file.added else ""
        path.write_text(before + file.text, encoding="utf-8")

    def run(self, command: Command) -> str:
        """What the command printed, on both streams."""
        ran = subprocess.run(  # noqa: S603  the commands are those of our own pages
            ["/bin/bash", "-c", SHELL, "bash", str(self.variables), command.typed],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=MOST_SECONDS,
            check=False,
        )
        return ran.stdout.decode()

    @property
    def environment(self) -> dict[str, str]:
        """What a command finds there, and nothing of whoever builds the pages."""
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # noqa: TID251  handed on
        return kept | {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # noqa: TID251  handed on
            "COLUMNS": "100",
            # Pages are in English, whatever language their builder's system has.
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            # The keyring of whoever builds the pages is theirs.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }


@contextmanager
def copied(folder: Path) -> Iterator[Home]:
    """A home with the same files, for a while."""
    with tempfile.TemporaryDirectory() as other:
        shutil.copytree(folder, other, dirs_exist_ok=True)
        # What was exported names the first one.
        Path(other, BEFORE).unlink(missing_ok=True)
        yield Home(Path(other))
