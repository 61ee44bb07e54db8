"""Every write is written down before it is sent, with the state before it, and without a secret."""

from __future__ import annotations

import json
import signal
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from keyring.backends import fail

from bi_mcp.auth.caller import Caller, called_by
from bi_mcp.auth.person import Person
from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.errors import ConfigError, InUseError, NotFoundError, UnreachableError
from bi_mcp.history.actor import acting
from bi_mcp.history.audit import Audit
from bi_mcp.history.entries import Entry, Stamp, find_undone, open_history
from bi_mcp.history.guarded_writes import GuardedWrites
from bi_mcp.history.journal import Journal
from bi_mcp.history.recording import Recorder, RecordingTransport
from bi_mcp.rest.methods import METHODS, Effect
from bi_mcp.rest.models import ConnectorChanges
from bi_mcp.rest.request import Command
from tests.history.recorded import ALL_WRITES, CANARY, Recorded, a_recorded_portal, plant, prepare
from tests.rest.calling import connector_fields, source_fields
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def keyring() -> Iterator[Keyring]:
    backend = Keyring()
    with system_keyring(backend):
        yield backend


def test_the_table_knows_every_writing_method() -> None:
    writing = {method.name for method in METHODS if method.effect is not Effect.READ}
    assert {f"biconnector.{operation}" for operation in ALL_WRITES} == writing


@pytest.mark.parametrize("operation", ALL_WRITES)
async def test_every_writing_method_is_recorded_with_the_state_before_it(
    recorded: Recorded, operation: str
) -> None:
    tree = await prepare(recorded.bi, operation)
    group = operation.partition(".")[0]
    id = getattr(tree, group)
    before = await _shown(recorded, group, id)
    known = len(recorded.entries)
    with acting("the_tool"):
        await ALL_WRITES[operation](recorded.bi, tree)
    assert len(recorded.entries) == known + 1
    entry = recorded.last
    assert entry.method.replace(".table.", ".dataset.") == f"biconnector.{operation}"
    assert (entry.group, entry.outcome, entry.tool, entry.portal) == (group, "done", "the_tool", "acme")
    if operation.endswith(".add"):
        assert entry.before is None
        assert entry.object not in {None, id}
    else:
        assert entry.object == id
        assert entry.before is not None
        assert _comparable(entry) == before


async def _shown(recorded: Recorded, group: str, id: int) -> dict[str, Any]:
    item: Any = await getattr(recorded.portal.bi, f"{group}s").get(id)
    return {
        "name": getattr(item, "title", None) or getattr(item, "name", None),
        "description": item.description,
        "settings": {each.code: getattr(each, "value", None) for each in getattr(item, "settings", ()) or ()},
        "columns": [
            (each.id, each.name, each.type, each.external_code, each.visible)
            for each in getattr(item, "fields", ()) or ()
        ]
        if group == "dataset"
        else [],
    }


def _comparable(entry: Entry) -> dict[str, Any]:
    before = entry.before or {}
    settings = before.get("settings") or {}
    return {
        "name": entry.name,
        "description": before.get("description"),
        "settings": settings if entry.group == "source" else {each["code"]: None for each in settings},
        "columns": [
            (each["id"], each["name"], each["type"], each["externalCode"], each["visible"])
            for each in before.get("fields", ())
        ],
    }


async def test_a_dataset_is_remembered_with_its_source(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    await recorded.bi.datasets.delete(tree.dataset)
    assert recorded.last.before is not None
    assert recorded.last.before["sourceId"] == tree.source


@pytest.mark.parametrize("operation", ALL_WRITES)
async def test_recording_adds_one_request_to_a_write_and_none_to_a_creation(
    generation: Generation, tmp_path: Path, operation: str
) -> None:
    requests = []
    for which in ("silent", "recorded"):
        async with a_recorded_portal(generation, tmp_path / which) as made:
            bi = made.bi if which == "recorded" else made.portal.bi
            tree = await prepare(bi, operation)
            before = len(made.portal.calls.requests)
            await ALL_WRITES[operation](bi, tree)
            requests.append(len(made.portal.calls.requests) - before)
    silent, with_record = requests
    assert with_record - silent == (0 if operation.endswith(".add") else 1)


async def test_the_state_before_the_writes_of_a_batch_is_read_in_one_request(recorded: Recorded) -> None:
    bi = recorded.bi
    first, second = [await bi.connectors.add(connector_fields(title=title)) for title in "ab"]
    calls = len(recorded.portal.calls.requests)
    commands: list[Command[int] | Command[None]] = [
        bi.connectors.commands.update(first, ConnectorChanges(title="c")),
        bi.connectors.commands.delete(second),
        bi.connectors.commands.add(connector_fields(title="d")),
        bi.connectors.commands.delete(999),
    ]
    outcomes = await bi.batch(commands)
    assert len(recorded.portal.calls.requests) == calls + 2
    update, delete, add, failed = recorded.entries[-4:]
    assert (update.before or {})["title"] == "a"
    assert (delete.before or {})["title"] == "b"
    assert (add.before, add.object) == (None, outcomes[2])
    assert (failed.outcome, failed.code) == ("refused", "CONNECTOR_NOT_FOUND")


async def test_a_refused_write_is_recorded_with_its_code_and_its_error_is_the_portals(
    recorded: Recorded,
) -> None:
    tree = await plant(recorded.bi)
    with pytest.raises(InUseError):
        await recorded.bi.connectors.delete(tree.connector)
    assert (recorded.last.outcome, recorded.last.code) == ("refused", "CONNECTOR_DELETE_RESTRICTED")
    with pytest.raises(NotFoundError):
        await recorded.bi.sources.delete(999)
    assert (recorded.last.outcome, recorded.last.code) == ("refused", "SOURCE_NOT_FOUND")
    assert recorded.last.before is None


async def test_a_write_without_an_answer_is_recorded_as_unknown(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    recorded.portal.faults.arm("cut_after", method="biconnector.connector.update")
    # The library looks, and finds it done.
    await recorded.bi.connectors.update(tree.connector, ConnectorChanges(title="Renamed"))
    assert (recorded.last.outcome, recorded.last.code) == ("unknown", "NO_ANSWER")


async def test_without_the_state_before_it_nothing_is_sent(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    known = len(recorded.entries)
    recorded.portal.faults.arm("cut_before", method="biconnector.connector.get")
    with pytest.raises(UnreachableError, match="was not sent, because the state before it could not be read"):
        await recorded.bi.connectors.update(tree.connector, ConnectorChanges(title="Renamed"))
    assert len(recorded.entries) == known
    assert (await recorded.portal.bi.connectors.get(tree.connector)).title == "Shop"


async def test_a_process_killed_between_leaves_an_entry_without_an_end(tmp_path: Path) -> None:
    script = str(Path(__file__).with_name("killed_writing.py"))
    process = await anyio.run_process([sys.executable, script, str(tmp_path)], check=False)
    assert process.returncode == -signal.SIGKILL
    [entry] = open_history(tmp_path, PortalIdentity("portal")).entries()
    assert (entry.outcome, entry.method, entry.object) == ("begun", "biconnector.connector.delete", 7)
    assert (entry.before or {})["title"] == "Shop"


@pytest.mark.parametrize("operation", ALL_WRITES)
async def test_no_secret_is_in_any_file(recorded: Recorded, operation: str) -> None:
    tree = await prepare(recorded.bi, operation)
    await ALL_WRITES[operation](recorded.bi, tree)
    written = recorded.everything_written()
    assert "biconnector.source.add" in written
    assert CANARY not in written
    assert "ann" not in json.dumps(recorded.audit)


async def test_the_files_are_their_owners_only(recorded: Recorded) -> None:
    await plant(recorded.bi)
    files = [path for path in recorded.folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_without_a_keyring_the_key_is_in_a_private_file(generation: Generation, tmp_path: Path) -> None:
    with system_keyring(fail.Keyring()):  # type: ignore[no-untyped-call]  # keyring's own has no annotations
        async with a_recorded_portal(generation, tmp_path) as recorded:
            await plant(recorded.bi)
            assert stat.S_IMODE((tmp_path / "history" / "key.json").stat().st_mode) == 0o600
            settings = [entry.sent["settings"] for entry in recorded.entries if entry.group == "source"]
            assert list(settings[0]["password"]) == ["sealed"]
            source = recorded.history.unseal(recorded.entries[1])
            assert source.sent["settings"]["password"] == Secret(CANARY)


async def test_a_locked_keyring_stops_a_write_that_holds_a_secret(
    recorded: Recorded, keyring: Keyring
) -> None:
    connector = await recorded.bi.connectors.add(connector_fields())
    keyring.locked = True
    with pytest.raises(ConfigError, match="BI_MCP_HISTORY=off") as refused:
        await recorded.bi.sources.add(source_fields(connector, CANARY))
    assert "canary" not in str(refused.value)
    assert "source.add" not in recorded.portal.calls.methods


@pytest.mark.parametrize("file", ["history/portal.example.jsonl", "audit.jsonl"])
async def test_what_cannot_be_recorded_is_not_sent(recorded: Recorded, file: str) -> None:
    path = recorded.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    with pytest.raises(ConfigError, match="Nothing was sent: the change cannot be recorded") as refused:
        await recorded.bi.connectors.add(connector_fields())
    assert "=off" in str(refused.value)
    assert "connector.add" not in recorded.portal.calls.methods
    if file == "audit.jsonl":
        assert [(entry.outcome, entry.code) for entry in recorded.entries] == [("refused", "NOT_SENT")]


async def test_the_audit_tells_who_changed_what_and_no_value(recorded: Recorded) -> None:
    tree = await plant(recorded.bi)
    with acting("source_update"):
        await ALL_WRITES["source.update"](recorded.bi, tree)
    begun, done = recorded.audit[-2:]
    assert begun == {**done, "outcome": "begun"}
    assert datetime.fromisoformat(done["time"]).tzinfo is not None
    assert (done["portal"], done["tool"], done["outcome"]) == ("acme", "source_update", "done")
    assert done["object"] == {"group": "source", "id": tree.source, "name": "Shop one"}
    assert done["before"]["settings"] == ["login", "password"]
    assert done["after"] == {"title": "Renamed", "settings": {"password": "changed"}}


async def test_who_logged_in_stands_in_both_files(recorded: Recorded) -> None:
    recorder = Recorder(
        Stamp("acme", recorded.history.identity),
        recorded.history,
        Audit(Journal(recorded.folder / "audit.jsonl")),
        lambda: 7,
    )
    bi = recorded.portal.bi.through(partial(RecordingTransport, recorder=recorder))
    await bi.connectors.add(connector_fields())
    assert recorded.last.user == 7
    assert [line["user"] for line in recorded.audit] == [7, 7]


async def test_a_person_is_recorded_rather_than_the_user_of_the_login(recorded: Recorded) -> None:
    recorder = Recorder(Stamp("acme", recorded.history.identity), recorded.history, user=lambda: 7)
    bi = recorded.portal.bi.through(partial(RecordingTransport, recorder=recorder))
    person = Person(portal="https://portal.example", user_id=12, name="Anna Petrova")
    with called_by(Caller(client="Claude", person=person, subject="a-mark-of-ours")):
        await bi.connectors.add(connector_fields())
    with called_by(Caller(client="cli", subject="auth0|anna")):
        await bi.connectors.add(connector_fields())
    assert [(each.user, each.user_name, each.client, each.subject) for each in recorded.entries] == [
        (12, "Anna Petrova", "Claude", None),
        (7, None, "cli", "auth0|anna"),
    ]


async def test_what_is_taken_back_is_the_callers_own_write_though_another_followed(
    recorded: Recorded,
) -> None:
    id = await recorded.bi.connectors.add(connector_fields())
    before = await recorded.bi.connectors.get(id)
    moved = ConnectorChanges(url_check="http://check.localhost/moved")
    callers = [Caller(subject=name) for name in ("anna", "boris")]
    with called_by(callers[0]):
        await recorded.bi.connectors.update(id, moved)
    with called_by(callers[1]):
        await recorded.bi.connectors.update(id, ConnectorChanges(title="Renamed"))
    with called_by(callers[0]):
        await GuardedWrites(recorded.bi, None, recorded.history)._move_back(before, moved)
    _, move, _, back = recorded.entries
    assert (back.undoes, back.subject) == (move.id, "anna")


async def test_entries_of_older_and_of_newer_versions_are_read(recorded: Recorded) -> None:
    await recorded.bi.connectors.add(connector_fields())
    path = recorded.history.journal.path
    begun, ended = map(json.loads, path.read_text().splitlines())
    # An older version reads what has no fields unknown to it.
    assert not {"user_name", "client", "subject"} & begun.keys()
    older = {"tool": None, "undoes": None, "user": None, "change": None, "code": None, **begun, "id": "older"}
    newer = {**begun, "id": "newer", "room": 5}
    path.write_text("\n".join(json.dumps(each) for each in (begun, ended, older, newer)))
    now, then, later = recorded.entries
    assert then == replace(now, id="older", outcome="begun", object=None)
    assert later == replace(then, id="newer")


async def test_the_audit_of_a_creation_names_the_new_id(recorded: Recorded) -> None:
    id = await recorded.bi.connectors.add(connector_fields(logo="data:image/png;base64," + "A" * 5000))
    begun, done = recorded.audit
    assert (begun["object"]["id"], done["object"]["id"]) == (None, id)
    assert len(done["after"]["logo"]) < 100


def test_what_reverted_something_can_be_reverted_itself() -> None:
    def entry(id: str, undoes: str | None = None) -> Entry:
        return Entry(
            id=id, at="", portal="", outcome="done", undoes=undoes, method="biconnector.connector.update",
            group="connector", object=1, name="", before={}, sent={},
        )  # fmt: skip

    assert find_undone([entry("a"), entry("b", "a")]) == {"a": "b"}
    assert find_undone([entry("a"), entry("b", "a"), entry("c", "b")]) == {"b": "c"}
