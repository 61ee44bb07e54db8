"""Replaces a file again and again in processes that die on the way. Started as a script: killed_replacing.py WRITER FOLDER

Prints what each of them left: `old`, `new`, or `torn`. The last one is let live.
"""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bi_mcp.clients.client_file import ClientFile
from bi_mcp.private_file import PrivateFile
from bi_mcp.whole_file import replace_file
from bi_mcp.workspace.portal_identity import PortalIdentity
from bi_mcp.workspace.state import State, StateDraft
from bi_mcp.workspace.state_file import StateFile

Write = Callable[[Path, str], object]

LETTERS = 100_000


def setup(path: Path, text: str) -> None:
    replace_file(path, text.encode())


def client(path: Path, text: str) -> None:
    ClientFile(path).write(f'{{"servers": "{text}"}}')


def private(path: Path, text: str) -> None:
    PrivateFile(path).write({"token": text})


def state(path: Path, text: str) -> None:
    file = StateFile(path, PortalIdentity("local"))
    file.path = path
    draft = StateDraft(State("local"))
    draft.adopt("connector", text, 1)
    file.write(draft.state())


WRITERS: dict[str, Write] = {"setup": setup, "client": client, "private": private, "state": state}


def dies_at(number: int) -> Callable[[], None]:
    """Before the n-th time that it opens, renames or changes a file."""
    left = itertools.count(number, -1)

    def seen(event: str, _: tuple[object, ...]) -> None:
        if (event == "open" or event.startswith("os.")) and event != "os.kill" and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(seen)


def dies_in_the_middle() -> None:
    """The system ends it when half is written. Nothing is dumped."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LETTERS // 2, LETTERS // 2))


def lived(write: Write, path: Path, doom: Callable[[], None]) -> bool:
    """Whether a process of its own got to the end."""
    process = os.fork()
    if process == 0:
        doom()
        write(path, "n" * LETTERS)
        os._exit(0)
    return os.waitpid(process, 0)[1] == 0


def left_in(path: Path, old: str) -> str:
    """What became of the old text."""
    found = path.read_text(encoding="utf-8")
    if found == old:
        return "old"
    return "new" if found == old.replace("o" * LETTERS, "n" * LETTERS) else "torn"


def main(writer: str, folder: Path) -> None:
    write, path = WRITERS[writer], folder / "file"
    for number in itertools.count(-1):
        write(path, "o" * LETTERS)
        old = path.read_text(encoding="utf-8")
        done = lived(write, path, dies_at(number) if number >= 0 else dies_in_the_middle)
        print(left_in(path, old))  # noqa: T201  read by the test
        if done:
            return


main(sys.argv[1], Path(sys.argv[2]))
