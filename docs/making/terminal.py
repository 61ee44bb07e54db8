"""What a terminal shows of commands that a person types: run in a real one, drawn as an SVG."""

from __future__ import annotations

import codecs
import errno
import io
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bi_mcp.base.language import Language
from docs.making.console import MOST_SECONDS, SHELL, Home

WIDTH = 100
PART = 65536
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
# Of the fonts that people have, those that know the marks and lines of our output.
FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
QUESTION = re.compile(r"\[y/N\]: $")
# What differs from run to run, and what stands for it: moments, the names of changes in the history, where the program is.
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d(?=\s)")
SHOWN_MOMENT = "2026-01-15 10:30"
CHANGE = re.compile(r"\b[0-9a-f]{8}\b")
PROGRAMS = "~/.local/bin"


@dataclass(frozen=True)
class Terminal:
    """A terminal in a home, in a language. Who sits there agrees to every question."""

    home: Home
    language: Language = "en"

    def run(self, command: str) -> str:
        """What stands on the screen afterwards, with its colours, and without what differs between two runs."""
        leader, follower = pty.openpty()
        with subprocess.Popen(  # noqa: S603  the commands are our own
            ["/bin/bash", "-c", SHELL, "bash", str(self.home.variables), command],
            cwd=self.home.folder,
            env=self.home.environment | {"TERM": "xterm-256color", "BI_MCP_LANGUAGE": self.language},
            stdin=follower,
            stdout=follower,
            stderr=follower,
        ) as process:
            os.close(follower)
            try:
                shown = "".join(_read(leader))
            except TimeoutError:
                process.kill()
                raise
            finally:
                os.close(leader)
        return self._settled(shown)

    def _settled(self, shown: str) -> str:
        # Of a line that was written over only the last state is seen.
        lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in shown.split("\n")]
        text = MOMENT.sub(SHOWN_MOMENT, "\n".join(lines))
        text = text.replace(str(Path(sys.executable).parent), PROGRAMS).replace(str(self.home.folder), "~")
        names = {
            name: f"{number:x}" * 8 for number, name in enumerate(dict.fromkeys(CHANGE.findall(text)), 1)
        }
        return CHANGE.sub(lambda found: names[found[0]], text).strip("\n")


def _read(leader: int) -> Iterator[str]:
    """Everything that is printed; each question is answered."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    while True:
        if not select.select([leader], [], [], MOST_SECONDS)[0]:
            raise TimeoutError("The command neither printed anything nor ended.")
        try:
            read = os.read(leader, PART)
        except OSError as error:
            # So ends a terminal of Linux; others answer nothing.
            if error.errno != errno.EIO:
                raise
            return
        if not read:
            return
        part = decode(read)
        yield part
        if QUESTION.search(part):
            os.write(leader, b"y\n")


def draw(title: str, screens: Sequence[tuple[str, str]], name: str) -> str:
    """The commands with what they printed, as one picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for number, (command, shown) in enumerate(screens):
        if number:
            console.print()
        console.print(Text.assemble(("$ ", "green"), (command, "bold")))
        console.print(Text.from_ansi(shown))
    return svg_of(console, title, name)


def svg_of(console: Console, title: str, name: str) -> str:
    """What was recorded, without the fonts that rich would load from elsewhere."""
    picture = FONTS.sub("", console.export_svg(title=title, unique_id=name))
    return picture.replace("Fira Code, monospace", FAMILY).replace("Fira Code", FAMILY)
