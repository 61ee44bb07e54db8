"""Writes again and again in processes that die on the way. Started as a script: killed_replacing.py WRITER FOLDER

Prints what each of them left: `old`, `new`, `gone`, or `torn`. The last one is let live.
"""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.auth.profiles import Profile, Profiles, change_profiles, load_profiles
from bi_mcp.base.secret import Secret
from bi_mcp.base.whole_file import replace_file
from bi_mcp.cli.clients.client_file import ClientFile
from bi_mcp.history.journal import Journal
from bi_mcp.setup.state import State, StateDraft
from bi_mcp.setup.state_file import StateFile
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.private_file import PrivateFile

Write = Callable[[Path, str], object]

LETTERS = 100_000
# More than half of the others, at which the system ends a writer, and less than a secret may have.
LETTERS_OF_A_SECRET = 60_000


def setup(path: Path, text: str) -> None:
    replace_file(path, text.encode())


def client(path: Path, text: str) -> None:
    ClientFile(path, "servers", "").write(f'{{"servers": {{"{text}": {{}}}}}}')


def private(path: Path, text: str) -> None:
    PrivateFile(path).write({"token": text})


def state(path: Path, text: str) -> None:
    file = StateFile(path, PortalIdentity("local"))
    file.path = path
    draft = StateDraft(State(portal="local"))
    draft.adopt("connector", text, 1)
    file.write(draft.state())


def in_file(path: Path, _: int) -> str:
    """The letter that a file is full of; any other sign in it, but for what stands around the text, counts as torn."""
    text = path.read_text(encoding="utf-8")
    found = [letter for letter in "on" if f"{letter * LETTERS}" in text]
    around = len(text) - LETTERS
    return found[0] if found and around < LETTERS // 2 else "torn"


def profiles(path: Path, text: str) -> None:
    acme = Profile(name="acme", portal_url=f"https://{text}.example")
    change_profiles(path.parent, lambda _: Profiles().with_profile(acme))


def in_profiles(path: Path, _: int) -> str:
    return load_profiles(path.parent).choose("acme").portal_url.removeprefix("https://")[0]


def secret(path: Path, text: str) -> None:
    NamedSecrets(path.parent).store(
        "crm", Secret(text[:LETTERS_OF_A_SECRET]), [f"https://{text[0]}.example"], "file"
    )


def in_secrets(path: Path, _: int) -> str:
    """A value that is bound to the hosts of another one counts as torn."""
    secrets = NamedSecrets(path.parent)
    known = secrets.known().get("crm")
    if known is None:
        return ""
    value = secrets.value(known).reveal()
    fits = known.hosts == (f"https://{value[0]}.example",) and value == value[0] * LETTERS_OF_A_SECRET
    return value[0] if fits else "torn"


def record(path: Path, text: str) -> None:
    Journal(path, most_bytes=LETTERS * 1000).append([{"text": text}])


def in_records(path: Path, times: int) -> str:
    """What was written once must be there still; else it counts as torn."""
    texts = [found["text"] for found in Journal(path).read()]
    kept = texts.count("o" * LETTERS) == times and set(texts) <= {"o" * LETTERS, "n" * LETTERS}
    return texts[-1][0] if kept else "torn"


WRITERS: dict[str, tuple[Write, Callable[[Path, int], str]]] = {
    "setup": (setup, in_file),
    "client": (client, in_file),
    "private": (private, in_file),
    "state": (state, in_file),
    "profiles": (profiles, in_profiles),
    "secret": (secret, in_secrets),
    "journal": (record, in_records),
}
LEFT = {"o": "old", "n": "new", "": "gone"}


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


def main(writer: str, folder: Path) -> None:
    (write, read), path = WRITERS[writer], folder / "file"
    for number in itertools.count(-1):
        write(path, "o" * LETTERS)
        done = lived(write, path, dies_at(number) if number >= 0 else dies_in_the_middle)
        print(LEFT.get(read(path, number + 2), "torn"))  # noqa: T201  read by the test
        if done:
            return


main(sys.argv[1], Path(sys.argv[2]))
