"""One login for all replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from redis.asyncio import Redis
from redis.asyncio.lock import Lock

from bi_mcp.app.replicas import store as store_module
from bi_mcp.app.replicas.store import PREFIX, SharedStore
from bi_mcp.app.replicas.tokens import SharedTokenStore
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError
from bi_mcp.rest.credential import Webhook
from tests.app.replicas.redis import broken_redis
from tests.auth.portal import HOUR, NAME, Clock, LoginPortal, stored

if TYPE_CHECKING:
    from bi_mcp.auth.session import TokenSession
    from bi_mcp.auth.store import Stored, TokenStore

pytestmark = [pytest.mark.anyio, pytest.mark.needs("redis-server")]

KEY = Secret("a-shared-key-of-the-two-replicas")
LOCK = f"{PREFIX}lock:token:{NAME}"


@pytest.fixture
async def client(redis: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis) as client:
        yield client


@pytest.fixture
def store(client: Redis) -> SharedStore:
    return SharedStore(client, KEY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal(clock: Clock) -> LoginPortal:
    return LoginPortal(clock)


def session(portal: LoginPortal, store: SharedTokenStore, clock: Clock) -> TokenSession:
    # It has all that a session calls.
    return portal.session(cast("TokenStore", store), clock)


async def test_replicas_renew_a_token_once(
    portal: LoginPortal, clock: Clock, store: SharedStore, tmp_path: Path
) -> None:
    local = await stored(tmp_path, portal.grant(clock()))
    sessions = [session(portal, SharedTokenStore(store, local), clock) for _ in range(4)]
    got: list[Secret] = []

    async def call(replica: TokenSession) -> None:
        got.append((await replica.current()).token)

    for expiry in range(1, 4):
        clock.now += HOUR
        got.clear()
        async with anyio.create_task_group() as group:
            for replica in sessions:
                group.start_soon(call, replica)
        assert portal.app.answered == [("refresh_token", 200)] * expiry
        assert all(token == got[0] for token in got)
        assert portal.accepts(got[0])


async def test_two_that_renew_at_once_after_all_go_on_with_one_token(
    portal: LoginPortal, clock: Clock, store: SharedStore
) -> None:
    """What happens when a lock ends before its holder: here everybody always has it."""
    loaded = 0
    both_loaded = anyio.Event()

    class Unlocked(SharedTokenStore):
        @asynccontextmanager
        async def lock(self, _profile: str) -> AsyncIterator[None]:
            yield

        async def save(self, profile: str, stored: Stored) -> None:
            nonlocal loaded
            loaded += 1
            if loaded == 2:
                both_loaded.set()
            await both_loaded.wait()
            await super().save(profile, stored)

    await SharedTokenStore(store).save(NAME, portal.grant(clock()))
    replicas = [session(portal, Unlocked(store), clock) for _ in range(2)]
    clock.now += HOUR
    failed: list[AuthorisationError] = []

    async def call(replica: TokenSession) -> None:
        try:
            await replica.current()
        except AuthorisationError as error:
            failed.append(error)

    async with anyio.create_task_group() as group:
        for replica in replicas:
            group.start_soon(call, replica)
    assert [error.code for error in failed] == ["invalid_grant"]
    tokens = [(await replica.current()).token for replica in replicas]
    assert tokens[0] == tokens[1]
    assert portal.accepts(tokens[0])
    assert portal.refreshes == 1


async def test_a_newer_login_on_a_machine_replaces_what_is_shared(
    portal: LoginPortal, clock: Clock, store: SharedStore, tmp_path: Path
) -> None:
    old = portal.grant(clock())
    clock.now += 10
    new = portal.grant(clock())
    local = await stored(tmp_path, new)
    shared = SharedTokenStore(store, local)
    await shared.save(NAME, old)
    assert await shared.load(NAME) == new
    assert await SharedTokenStore(store).load(NAME) == old
    clock.now += 10
    renewed = portal.grant(clock())
    await shared.save(NAME, renewed)
    assert await shared.load(NAME) == renewed


async def test_a_webhook_is_kept_too_and_a_forgotten_profile_is_gone(store: SharedStore) -> None:
    shared = SharedTokenStore(store)
    await shared.save(NAME, Webhook(Secret("7/secret")))
    assert await shared.load(NAME) == Webhook(Secret("7/secret"))
    await shared.delete(NAME)
    await shared.delete(NAME)
    assert await shared.load(NAME) is None


async def test_a_damaged_or_unencrypted_entry_is_named_without_what_it_holds(
    store: SharedStore, client: Redis
) -> None:
    await store.put(f"token:{NAME}", {"token": "hunter2"})
    with pytest.raises(AuthorisationError, match="damaged") as raised:
        await SharedTokenStore(store).load(NAME)
    assert "hunter2" not in str(raised.value)
    await client.set(f"{PREFIX}token:{NAME}", '{"webhook": "7/hunter2"}')
    with pytest.raises(AuthorisationError, match="damaged") as raised:
        await SharedTokenStore(store).load(NAME)
    assert "hunter2" not in str(raised.value)


async def test_only_one_of_many_is_inside(store: SharedStore, client: Redis) -> None:
    inside: list[int] = []
    most = 0

    async def enter(number: int) -> None:
        nonlocal most
        async with SharedTokenStore(store).lock(NAME), SharedTokenStore(store).lock("another"):
            inside.append(number)
            most = max(most, len(inside))
            await client.ping()
            inside.remove(number)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(enter, number)
    assert most == 1
    assert not await client.exists(LOCK)


async def test_whoever_waits_too_long_is_told(store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_PATIENCE_S", 0.0)
    async with SharedTokenStore(store).lock(NAME):
        with pytest.raises(AuthorisationError) as raised:
            await lock_and_free(SharedTokenStore(store))
    assert raised.value.code == "LOCKED"


async def test_a_lock_expires_with_its_holder_and_is_left_to_the_next_one(
    store: SharedStore, client: Redis
) -> None:
    async with SharedTokenStore(store).lock(NAME):
        assert 0 < await client.pttl(LOCK) <= 60_000
        await client.set(LOCK, "the next holder")
    assert await client.get(LOCK) == b"the next holder"


async def test_a_cancelled_wait_leaves_nothing(store: SharedStore, client: Redis) -> None:
    async def wait() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await lock_and_free(SharedTokenStore(store))

    scopes: list[anyio.CancelScope] = []
    async with anyio.create_task_group() as group, SharedTokenStore(store).lock(NAME):
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        scopes[0].cancel()
    assert not await client.exists(LOCK)


async def test_a_renewal_that_outlives_its_lock_leaves_what_another_replica_stored(
    portal: LoginPortal, clock: Clock, store: SharedStore, client: Redis
) -> None:
    shared = SharedTokenStore(store)
    old = portal.grant(clock())
    clock.now += HOUR
    renewed = portal.grant(clock())
    await shared.save(NAME, old)
    async with shared.lock(NAME):
        await client.delete(LOCK)
        with pytest.raises(AuthorisationError) as unchanged:
            await shared.save(NAME, old)
        await SharedTokenStore(store).save(NAME, renewed)
        with pytest.raises(AuthorisationError) as older:
            await shared.save(NAME, old)
    assert unchanged.value.code == older.value.code == "LOCKED"
    assert await shared.load(NAME) == renewed


async def test_a_renewed_token_is_saved_even_if_the_lock_has_ended(
    portal: LoginPortal, clock: Clock, store: SharedStore, client: Redis
) -> None:
    """The portal has forgotten the old one: it would log everybody out to throw the new one away."""
    shared = SharedTokenStore(store)
    await shared.save(NAME, portal.grant(clock()))
    clock.now += HOUR
    renewed = portal.grant(clock())
    async with shared.lock(NAME):
        await client.set(LOCK, "the next holder")
        await shared.save(NAME, renewed)
    assert await shared.load(NAME) == renewed
    assert await client.get(LOCK) == b"the next holder"


async def test_saving_extends_the_lock(
    portal: LoginPortal, clock: Clock, store: SharedStore, client: Redis
) -> None:
    shared = SharedTokenStore(store)
    async with shared.lock(NAME):
        await client.pexpire(LOCK, 20_000)
        await shared.save(NAME, portal.grant(clock()))
        assert await client.pttl(LOCK) > 20_000


async def test_a_call_that_is_cancelled_while_it_acquires_the_lock_frees_it(
    store: SharedStore, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_acquire = Lock.do_acquire

    async def cancelled(lock: Lock, token: str | bytes) -> bool:
        """Cancel the call once Redis has the lock, before its answer arrives."""
        assert await do_acquire(lock, token)
        assert await client.exists(LOCK)
        scope.cancel()
        await anyio.sleep_forever()
        return True

    monkeypatch.setattr(Lock, "do_acquire", cancelled)
    with anyio.CancelScope() as scope:
        await lock_and_free(SharedTokenStore(store))
    assert scope.cancelled_caught
    assert not await client.exists(LOCK)


async def lock_and_free(shared: SharedTokenStore) -> None:
    async with shared.lock(NAME):
        pass


STEPS: dict[str, Callable[[SharedTokenStore], Awaitable[object]]] = {
    "load": lambda shared: shared.load(NAME),
    "save": lambda shared: shared.save(NAME, Webhook(Secret("7/secret"))),
    "delete": lambda shared: shared.delete(NAME),
    "lock": lock_and_free,
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_store_that_does_not_answer_is_named_without_its_address(step: str) -> None:
    # Nothing listens on port 1.
    async with Redis.from_url("redis://:hunter2@127.0.0.1:1/0", retry=None) as nobody:
        with pytest.raises(AuthorisationError) as raised:
            await STEPS[step](SharedTokenStore(SharedStore(nobody, KEY)))
    assert raised.value.code == "STORE_FAILED"
    assert "BI_MCP_SHARED_STORE" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("step", STEPS)
async def test_a_broken_answer_is_not_a_damaged_token(step: str) -> None:
    async with broken_redis() as address, Redis.from_url(address, retry=None) as broken:
        with pytest.raises(AuthorisationError, match="BI_MCP_SHARED_STORE") as raised:
            await STEPS[step](SharedTokenStore(SharedStore(broken, KEY)))
    assert raised.value.code == "STORE_FAILED"
    assert "hunter2" not in str(raised.value)


async def test_an_error_inside_the_lock_is_not_taken_for_the_stores(store: SharedStore) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with SharedTokenStore(store).lock(NAME):
            raise ValueError("mine")
