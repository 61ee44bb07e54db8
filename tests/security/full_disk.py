"""Writes each file that bi-mcp keeps where there is no room for it. Started as a script: full_disk.py FOLDER

Prints a line of JSON for each: `case`, the `error` and its `text`, how many requests were `sent`, and the files that `changed`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import click

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.auth.profiles import Profile, change_profiles
from bi_mcp.auth.store import FileTokenStore
from bi_mcp.base.secret import Secret
from bi_mcp.cli.actions.setup_input import write_text
from bi_mcp.cli.clients.client_file import ClientFile
from bi_mcp.errors import BiMcpError
from bi_mcp.history.audit import Audit
from bi_mcp.history.entries import Stamp, open_history
from bi_mcp.history.journal import Journal
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.history.sealing import Sealer
from bi_mcp.rest import BIConnector, Webhook
from bi_mcp.rest.envelope import Envelope
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.request import Request
from bi_mcp.setup.pending import Creation, Pending
from bi_mcp.setup.state import State, StateDraft
from bi_mcp.setup.state_file import StateFile
from bi_mcp.vault.named_secrets import NamedSecrets

PORTAL = PortalIdentity("portal")
# No file may become larger: there is room for the beginning of each.
ROOM = 10
Write = Callable[[Path, str], object]


class Sent:
    """A portal with one connector, which counts the writes that reach it."""

    def __init__(self) -> None:
        self.writes = 0

    async def send(self, request: Request) -> Envelope:
        if request.method.effect is Effect.READ:
            return Envelope({"item": {"id": request.parameters["id"], "title": "Shop"}})
        self.writes += 1
        return Envelope(result=True)

    async def aclose(self) -> None:
        """Nothing is open."""


SENT = Sent()


def record(recorder: Recorder, word: str) -> None:
    async def delete() -> None:
        await BIConnector(RecordingTransport(SENT, recorder)).connectors.delete(len(word))

    anyio.run(delete)


def profiles(folder: Path, word: str) -> None:
    acme = Profile(name=word, portal_url="https://acme.example")
    change_profiles(folder, lambda known: known.with_profile(acme))


def token(folder: Path, word: str) -> None:
    anyio.run(FileTokenStore(folder).save, "acme", Webhook(Secret(f"7/{word}")))


def secret(folder: Path, word: str) -> None:
    NamedSecrets(folder).store(word, Secret(word), ["https://shop.example"], "file")


def history(folder: Path, word: str) -> None:
    record(Recorder(Stamp("acme", PORTAL), open_history(folder, PORTAL)), word)


def audit(folder: Path, word: str) -> None:
    record(Recorder(Stamp("acme", PORTAL), None, Audit(Journal(folder / "audit.jsonl"))), word)


def key(folder: Path, word: str) -> None:
    Sealer(folder / word).seal(Secret(word))


def state(folder: Path, word: str) -> None:
    draft = StateDraft(State(portal="local"))
    draft.adopt("connector", word, 1)
    StateFile(folder / "bi.yaml", PORTAL).write(draft.state())


def pending(folder: Path, word: str) -> None:
    StateFile(folder / "bi.yaml", PORTAL).write_pending(
        Pending(started=0, newest={}, creations=[Creation("connector", word, ())])
    )


def setup(folder: Path, word: str) -> None:
    write_text(folder / "bi.yaml", f"version: 1 # {word}\n")


def client(folder: Path, word: str) -> None:
    ClientFile(folder / "client.json", "mcpServers", "").write(f'{{"mcpServers": {{"{word}": {{}}}}}}')


CASES: dict[str, Write] = {
    "profiles": profiles,
    "token": token,
    "secret": secret,
    "history": history,
    "audit": audit,
    "key": key,
    "state": state,
    "pending": pending,
    "setup": setup,
    "client": client,
}


def files(folder: Path) -> dict[str, bytes]:
    """What there is, without the empty files that are locked."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if path.suffix != ".lock"}


def tell(case: str, folder: Path) -> None:
    """Fill the disk and write again."""
    before, sent = files(folder), SENT.writes
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))
    told = {"case": case, "error": "", "text": ""}
    try:
        CASES[case](folder, "second")
    except (BiMcpError, click.ClickException, OSError) as error:
        told |= {"error": type(error).__name__, "text": str(error)}
    after = files(folder)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    print(json.dumps({**told, "sent": SENT.writes - sent, "changed": changed}), flush=True)  # noqa: T201  read by the test


def main(folder: Path) -> None:
    for case, write in CASES.items():
        place = folder / case
        place.mkdir()
        write(place, "first")
        if os.fork() == 0:
            tell(case, place)
            os._exit(0)
        os.wait()


main(Path(sys.argv[1]))
