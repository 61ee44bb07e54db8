"""Documents of sign-ins: the same promises in a folder and in Redis, to all replicas at once."""

from __future__ import annotations

import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from bi_mcp.app.replicas import store as redis_module
from bi_mcp.app.replicas.documents import RedisDocuments
from bi_mcp.app.replicas.store import PREFIX, SharedStore
from bi_mcp.app.sign_in import document_folder
from bi_mcp.app.sign_in.document_folder import SWEEP_EVERY_S, DocumentFolder
from bi_mcp.app.sign_in.documents import Document, Documents
from bi_mcp.errors import AuthorisationError
from tests.app.sign_in.stores import KEY, Clock, FolderStore, RedisStore, Store
from tests.server.processes import environment

pytestmark = pytest.mark.anyio


async def at_once(*steps: Callable[[], Awaitable[object]]) -> list[object]:
    """Run the steps at once and return their results."""
    results: list[object] = []

    async def run(step: Callable[[], Awaitable[object]]) -> None:
        results.append(await step())

    async with anyio.create_task_group() as group:
        for step in steps:
            group.start_soon(run, step)
    return results


async def test_one_replica_reads_what_another_wrote_and_the_store_shows_nothing(store: Store) -> None:
    one, other = store.open(), store.open()
    await one.put("clients/1", {"name": "hunter2", "scopes": ["read"]})
    assert await other.get("clients/1") == {"name": "hunter2", "scopes": ["read"]}
    await other.put("clients/1", {"name": "renamed"})
    assert await one.get("clients/1") == {"name": "renamed"}
    assert b"hunter2" not in b"".join(await store.contents())
    await one.delete("clients/1")
    await one.delete("clients/1")
    assert await other.get("clients/1") is None
    assert await other.take("clients/1") is None


async def test_of_all_who_add_or_take_at_once_one_does(store: Store) -> None:
    replicas = [store.open() for _ in range(3)]
    added = await at_once(*[lambda each=each: each.add("slots/1", {}) for each in replicas * 2])
    assert added.count(True) == 1
    taken = await at_once(*[lambda each=each: each.take("slots/1") for each in replicas * 2])
    assert [document for document in taken if document is not None] == [{}]
    assert await replicas[0].add("slots/1", {"again": True})


async def test_changes_at_once_are_all_made_and_what_was_deleted_stays_deleted(store: Store) -> None:
    def count(document: Document) -> Document:
        return {"count": document["count"] + 1}

    replicas = [store.open() for _ in range(3)]
    await replicas[0].put("clients/1", {"count": 0})
    changed = await at_once(*[lambda each=each: each.change("clients/1", count) for each in replicas * 4])
    assert sorted(document["count"] for document in changed if isinstance(document, dict)) == [*range(1, 13)]
    assert await replicas[1].change("clients/1", lambda _: None) is None
    assert await replicas[1].get("clients/1") == {"count": 12}
    await replicas[2].delete("clients/1")
    assert await replicas[1].change("clients/1", count) is None
    assert await replicas[0].get("clients/1") is None


@pytest.mark.needs("redis-server")
async def test_what_is_deleted_while_it_is_changed_stays_deleted(redis: str) -> None:
    """A folder holds a lock meanwhile; Redis refuses the change."""
    key = f"{PREFIX}sign-in/clients/1"
    with BlockingRedis.from_url(redis) as faster:
        async with Redis.from_url(redis) as client:
            documents = RedisStore(client).open()
            await documents.put("clients/1", {"a": 1})

            def change(document: Document) -> Document:
                faster.delete(key)
                return {**document, "b": 1}

            assert await documents.change("clients/1", change) is None
        assert not faster.exists(key)


async def test_names_are_found_by_their_beginning_and_not_by_a_pattern(store: Store) -> None:
    documents = store.open()
    for name in (
        "clients/a1",
        "clients/a2",
        "clients/b1",
        "clients",
        "logins/a1",
        "clients/*",
        "clients/\\?",
    ):
        await documents.put(name, {})
    assert await documents.names("clients/a") == ["clients/a1", "clients/a2"]
    assert await documents.names("clients/*") == ["clients/*"]
    assert await documents.names("clients/\\") == ["clients/\\?"]
    assert await documents.names("client[s") == []
    assert len(await documents.names("")) == 7


async def test_a_value_that_was_moved_or_not_sealed_opens_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    documents = store.open()
    await documents.put("clients/thief", {"rights": "few"})
    await documents.put("clients/administrator", {"rights": "all"})
    await store.copy("clients/administrator", to="clients/thief")
    assert await documents.get("clients/thief") is None
    assert await documents.change("clients/thief", lambda document: document) is None
    assert await documents.get("clients/administrator") == {"rights": "all"}
    await store.damage("clients/administrator")
    assert await documents.get("clients/administrator") is None
    assert not await documents.add("clients/administrator", {}), "what is there is there, readable or not"
    assert "hunter2" not in caplog.text
    assert "thief" not in caplog.text
    await documents.put("clients/administrator", {"rights": "new"})
    assert await documents.get("clients/administrator") == {"rights": "new"}


async def test_a_document_ends_with_its_lifetime(store: Store, clock: Clock) -> None:
    documents = store.open()
    await documents.put("codes/1", {"long": True}, lifetime_s=60)
    await documents.add("codes/2", {}, lifetime_s=60)
    await documents.put("codes/3", {})
    await documents.change("codes/3", dict, lifetime_s=60)
    await documents.put("kept", {}, lifetime_s=60)
    await documents.change("kept", dict)
    if isinstance(store, RedisStore):
        keys = [f"{PREFIX}sign-in/codes/{number}" for number in (1, 2, 3)]
        left = [await store.client.pttl(key) for key in keys]
        assert all(59_000 < each <= 60_000 for each in left)
        assert await store.client.pttl(f"{PREFIX}sign-in/kept") == -1
        await documents.put("codes/1", {}, lifetime_s=0)
        for key in keys:
            await store.client.pexpire(key, 0)
    clock.now += 60
    assert [await documents.get(f"codes/{number}") for number in (1, 2, 3)] == [None] * 3
    assert await documents.take("codes/1") is None
    assert await documents.change("codes/2", dict) is None
    assert await documents.names("") == ["kept"]
    assert await documents.add("codes/2", {}, lifetime_s=60)


async def test_only_one_is_inside_a_lock_and_its_failure_frees_it(store: Store) -> None:
    inside: list[int] = []
    most = 0

    async def enter(documents: Documents, number: int) -> None:
        nonlocal most
        async with documents.lock("logins/1"), documents.lock(f"logins/of {number}"):
            inside.append(number)
            most = max(most, len(inside))
            await documents.put("logins/1", {"by": number})
            inside.remove(number)

    replicas = [store.open() for _ in range(3)]
    await at_once(
        *[lambda each=each, number=number: enter(each, number) for number, each in enumerate(replicas * 2)]
    )
    assert most == 1
    with pytest.raises(ValueError, match="mine"):
        async with replicas[0].lock("logins/1"):
            raise ValueError("mine")
    async with replicas[1].lock("logins/1"):
        pass


async def test_whoever_waits_too_long_is_told_and_a_cancelled_wait_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            async with store.open().lock("logins/1"):
                pass

    scopes: list[anyio.CancelScope] = []
    async with anyio.create_task_group() as group, store.open().lock("logins/1"):
        group.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        scopes[0].cancel()
    async with store.open().lock("logins/1"):
        monkeypatch.setattr(redis_module, "LOCK_PATIENCE_S", 0.0)
        monkeypatch.setattr(document_folder, "LOCK_PATIENCE_S", 0.0)
        with pytest.raises(AuthorisationError) as raised:
            async with store.open().lock("logins/1"):
                pass
    assert raised.value.code == "LOCKED"


STEPS: dict[str, Callable[[Documents], Awaitable[object]]] = {
    "get": lambda documents: documents.get("a"),
    "put": lambda documents: documents.put("a", {}),
    "add": lambda documents: documents.add("a", {}),
    "take": lambda documents: documents.take("a"),
    "change": lambda documents: documents.change("a", dict),
    "delete": lambda documents: documents.delete("a"),
    "names": lambda documents: documents.names("a"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_store_that_does_not_answer_is_named_without_its_address(step: str) -> None:
    # Nothing listens on port 1.
    async with Redis.from_url("redis://:hunter2@127.0.0.1:1/0", retry=None) as nobody:
        documents = RedisDocuments(SharedStore(nobody, KEY))
        with pytest.raises(AuthorisationError, match="BI_MCP_SHARED_STORE") as raised:
            await STEPS[step](documents)
        assert raised.value.code == "STORE_FAILED"
        assert "hunter2" not in str(raised.value)


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    tmp_path.joinpath("sign-in").write_text("a file", encoding="ascii")
    for step in ("put", "add", "take", "change", "delete"):
        with pytest.raises(AuthorisationError, match="cannot keep sign-ins") as raised:
            await STEPS[step](DocumentFolder(tmp_path / "sign-in"))
        assert raised.value.code == "STORE_FAILED"


async def test_processes_on_one_folder_do_everything_once(tmp_path: Path) -> None:
    documents = DocumentFolder(tmp_path)
    await documents.put("counted", {"count": 0})
    won: list[int] = []

    async def run() -> None:
        script = [sys.executable, "-m", "tests.app.sign_in.counting", str(tmp_path), "30"]
        finished = await anyio.run_process(script, env=environment(tmp_path), check=False)
        assert finished.returncode == 0, finished.stderr.decode()
        won.append(int(finished.stdout))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(run)
    assert await documents.get("counted") == {"count": 90}
    assert sum(won) == 30
    assert len(await documents.names("slots/")) == 30


async def test_files_of_the_folder_are_their_owners_and_expired_ones_are_swept(
    tmp_path: Path, clock: Clock
) -> None:
    store = FolderStore(tmp_path / "sign-in", clock)
    documents = store.open()
    for number in range(3):
        await documents.put(f"codes/{number}", {}, lifetime_s=60)
    await documents.put("clients/1", {}, lifetime_s=2 * SWEEP_EVERY_S)
    files = store.files()
    assert len(files) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}
    clock.now += SWEEP_EVERY_S
    await documents.put("clients/2", {})
    assert len(store.files()) == 2
    assert await store.open().names("") == ["clients/1", "clients/2"]


async def test_to_find_names_only_documents_of_their_kind_are_opened(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Strangers can make the folder keep thousands of sign-ins under way."""
    store = FolderStore(tmp_path / "sign-in", clock)
    documents = store.open()
    await documents.put("clients/1", {})
    await documents.put("attempts/1", {})
    await store.damage("attempts/1")
    assert await documents.names("clients/") == ["clients/1"]
    assert caplog.messages == []
    assert await documents.names("") == ["clients/1"]
    assert len(caplog.messages) == 1


async def test_what_a_killed_process_left_half_written_is_not_taken_for_a_document(
    tmp_path: Path, clock: Clock
) -> None:
    store = FolderStore(tmp_path / "sign-in", clock)
    documents = store.open()
    await documents.put("clients/1", {"a": 1})
    (file,) = store.files()
    left = file.with_name(f"{file.name}.new")
    left.write_bytes(file.read_bytes())
    await documents.delete("clients/1")
    assert await documents.get("clients/1") is None
    assert await documents.names("") == []
    assert store.files() == []


async def test_a_file_is_opened_again_only_when_it_was_changed_and_then_at_once(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, opened = FolderStore(tmp_path / "sign-in", clock), list[Path]()
    reading, another = store.open(), store.open()
    original = DocumentFolder._open

    def count(folder: DocumentFolder, path: Path) -> object:
        if folder is reading:
            opened.append(path)
        return original(folder, path)

    await another.put("clients/1", {"a": 1}, lifetime_s=10)
    monkeypatch.setattr(DocumentFolder, "_open", count)
    for _ in range(3):
        assert await reading.get("clients/1") == {"a": 1}
    assert len(opened) == 1
    await another.put("clients/1", {"a": 2}, lifetime_s=10)
    assert await reading.get("clients/1") == {"a": 2}
    clock.now += 10
    assert await reading.get("clients/1") is None
    await another.put("clients/1", {"a": 3})
    assert await reading.get("clients/1") == {"a": 3}
    await another.delete("clients/1")
    assert await reading.get("clients/1") is None


async def test_only_the_documents_of_people_at_work_are_kept_in_memory(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_folder, "MOST_RECENT", 2)
    documents = DocumentFolder(tmp_path / "sign-in", clock=clock)
    for number in range(4):
        await documents.put(f"clients/{number}", {"a": number})
        assert await documents.get(f"clients/{number}") == {"a": number}
    assert list(documents._recent) == ["clients/2", "clients/3"]
