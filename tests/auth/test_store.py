from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

import tests.vault.keyrings
from bi_mcp.auth.login import keep
from bi_mcp.auth.profiles import Profile, load_profiles
from bi_mcp.auth.store import FileTokenStore, KeyringTokenStore, TokenStore, open_store
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, ConfigError
from bi_mcp.rest import Webhook
from bi_mcp.vault.keyring import best_keeper
from tests.auth.portal import NAME, Clock, LoginPortal
from tests.vault.keyrings import BrokenKeyring, Keyring, Trouble, UnrankedKeyring

pytestmark = pytest.mark.anyio


@pytest.fixture
def system_keyring() -> Iterator[Keyring]:
    before = keyring.get_keyring()
    backend = Keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture(params=["file", "keyring"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    return FileTokenStore(tmp_path) if request.param == "file" else KeyringTokenStore(tmp_path, Keyring())


async def test_a_login_comes_back_as_it_was_kept(
    store: TokenStore, portal: LoginPortal, clock: Clock
) -> None:
    grant = portal.grant(clock())
    assert await store.load(NAME) is None
    await store.save(NAME, grant)
    await store.save("hook", Webhook(Secret("7/webhook-canary")))
    assert await store.load(NAME) == grant
    assert await store.load("hook") == Webhook(Secret("7/webhook-canary"))


async def test_a_login_that_is_deleted_is_gone_and_may_be_deleted_again(
    store: TokenStore, portal: LoginPortal, clock: Clock
) -> None:
    await store.save(NAME, portal.grant(clock()))
    await store.delete(NAME)
    await store.delete(NAME)
    assert await store.load(NAME) is None


async def test_one_task_at_a_time_holds_a_profile_and_others_do_not_wait_for_it(store: TokenStore) -> None:
    held: list[str] = []

    async def hold(profile: str, name: str) -> None:
        async with store.lock(profile):
            held.append(f"{name} begins")
            await anyio.lowlevel.checkpoint()
            held.append(f"{name} ends")

    async with store.lock("other"), anyio.create_task_group() as group:
        group.start_soon(hold, NAME, "one")
        group.start_soon(hold, NAME, "two")
    assert held in (
        ["one begins", "one ends", "two begins", "two ends"],
        ["two begins", "two ends", "one begins", "one ends"],
    )


async def test_who_waits_too_long_is_told_and_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path, patience=0)
    with suppress(ZeroDivisionError):
        async with store.lock(NAME):
            with pytest.raises(AuthorisationError, match="End it and try again") as locked:
                await store.lock(NAME).__aenter__()
            raise ZeroDivisionError
    assert locked.value.code == "LOCKED"
    async with store.lock(NAME):
        pass


async def test_who_waits_can_be_cancelled(store: TokenStore) -> None:
    async with store.lock(NAME):
        with anyio.move_on_after(0) as waiting:
            await store.lock(NAME).__aenter__()
    assert waiting.cancelled_caught


async def test_a_keyrings_entry_is_small_and_belongs_to_its_folder(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    backend = Keyring()
    await KeyringTokenStore(tmp_path, backend).save(NAME, portal.grant(clock()))
    [(entry, kept)] = backend.entries.items()
    assert entry == (f"bi-mcp {tmp_path}", NAME)
    assert len(kept) <= 1280
    assert await KeyringTokenStore(tmp_path / "other", backend).load(NAME) is None
    assert not (tmp_path / "tokens").exists()


async def test_a_locked_keyring_is_told_without_what_it_said(tmp_path: Path) -> None:
    backend = Keyring()
    backend.locked = True
    with pytest.raises(AuthorisationError, match=r"Unlock it, or .*--keep-in file") as locked:
        await KeyringTokenStore(tmp_path, backend).load(NAME)
    assert "canary" not in str(locked.value)


@pytest.mark.parametrize("kept", ["{", "[]", "{}", '{"application": {}, "token": {}}'])
async def test_a_damaged_entry_is_told(tmp_path: Path, kept: str) -> None:
    backend = Keyring()
    backend.entries[f"bi-mcp {tmp_path}", NAME] = kept
    with pytest.raises(AuthorisationError, match=r"is damaged\. Log in to the portal"):
        await KeyringTokenStore(tmp_path, backend).load(NAME)


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / f"{NAME}.json").write_text("{}")
    (tmp_path / "tokens" / "cut.json").write_text("{")
    with pytest.raises(AuthorisationError, match="is damaged"):
        await FileTokenStore(tmp_path).load(NAME)
    with pytest.raises(ConfigError, match=r"cut\.json is damaged"):
        await FileTokenStore(tmp_path).load("cut")


async def test_a_folder_that_cannot_be_used_is_told(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text("in the way")
    store = FileTokenStore(tmp_path)
    for failing in (store.save(NAME, portal.grant(clock())), store.lock(NAME).__aenter__()):
        with pytest.raises(AuthorisationError, match="set BI_MCP_CONFIG_DIR to another folder"):
            await failing


def test_a_new_login_goes_into_the_keyring_where_there_is_one(
    system_keyring: Keyring, tmp_path: Path
) -> None:
    assert best_keeper() == "keyring"
    assert isinstance(open_store("keyring", tmp_path), KeyringTokenStore)
    assert isinstance(open_store("file", tmp_path), FileTokenStore)


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
async def test_a_keyring_that_keeps_nothing_is_none(
    system_keyring: Keyring, tmp_path: Path, backend: type[KeyringBackend]
) -> None:
    keyring.set_keyring(backend())
    assert best_keeper() == "file"
    for failing in (open_store("keyring", tmp_path).reach(), open_store("keyring", tmp_path).load(NAME)):
        with pytest.raises(AuthorisationError, match=r"which this process cannot reach .*--keep-in file"):
            await failing


@pytest.mark.parametrize("trouble", ["raises", "exits", "no text"])
async def test_a_keyring_in_trouble_is_told_with_advice_whatever_it_is_asked(
    trouble: Trouble, portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    store = KeyringTokenStore(tmp_path, BrokenKeyring(trouble))
    asked = [store.load(NAME), store.delete(NAME)]
    if trouble != "no text":
        asked.append(store.save(NAME, portal.grant(clock())))
    for failing in asked:
        with pytest.raises(AuthorisationError, match=r"log in again with `--keep-in file`") as refused:
            await failing
        assert "canary" not in str(refused.value)


async def test_a_login_for_a_keyring_that_cannot_be_used_takes_no_name(
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    with tests.vault.keyrings.system_keyring(UnrankedKeyring(OSError("bus-canary"))):
        new = Profile(name=NAME, portal_url="https://acme.example", keeper="keyring")
        with pytest.raises(AuthorisationError, match=r"cannot be used \(OSError\).*--keep-in file"):
            await keep(tmp_path, new, portal.grant(clock()))
    assert load_profiles(tmp_path).by_name == {}
