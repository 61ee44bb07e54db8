"""One login for all replicas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from key_value.aio.stores.memory import MemoryStore

from bi_mcp.app.replicas.lease import Lease
from bi_mcp.app.replicas.tokens import COLLECTION, SharedTokenStore
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError
from bi_mcp.rest.credential import Webhook
from tests.auth.portal import HOUR, NAME, Clock, LoginPortal, stored
from tests.server.http.stores import BrokenStore, TurnTakingStore, turns

if TYPE_CHECKING:
    from bi_mcp.auth.session import TokenSession
    from bi_mcp.auth.store import TokenStore

pytestmark = pytest.mark.anyio

quick = partial(Lease, sleep=turns)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal(clock: Clock) -> LoginPortal:
    return LoginPortal(clock)


def session(portal: LoginPortal, store: SharedTokenStore, clock: Clock) -> TokenSession:
    # It has all that a session calls.
    return portal.session(cast("TokenStore", store), clock)


async def test_replicas_renew_a_token_once(portal: LoginPortal, clock: Clock, tmp_path: Path) -> None:
    store = TurnTakingStore()
    local = await stored(tmp_path, portal.grant(clock()))
    sessions = [session(portal, SharedTokenStore(store, local, lease=quick), clock) for _ in range(4)]
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
    portal: LoginPortal, clock: Clock
) -> None:
    """What happens when the lease fails: here everybody always has it."""

    class Nothing(Lease):
        async def acquire(self) -> None: ...

        async def release(self) -> None: ...

    store = TurnTakingStore()
    shared = SharedTokenStore(store, lease=Nothing)
    await shared.save(NAME, portal.grant(clock()))
    replicas = [session(portal, SharedTokenStore(store, lease=Nothing), clock) for _ in range(2)]
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
    portal: LoginPortal, clock: Clock, tmp_path: Path
) -> None:
    old = portal.grant(clock())
    clock.now += 10
    new = portal.grant(clock())
    local = await stored(tmp_path, new)
    store = MemoryStore()
    shared = SharedTokenStore(store, local)
    await shared.save(NAME, old)
    assert await shared.load(NAME) == new
    assert await SharedTokenStore(store).load(NAME) == old
    clock.now += 10
    renewed = portal.grant(clock())
    await shared.save(NAME, renewed)
    assert await shared.load(NAME) == renewed


async def test_a_webhook_is_kept_too_and_a_forgotten_profile_is_gone() -> None:
    shared = SharedTokenStore(MemoryStore())
    await shared.save(NAME, Webhook(Secret("7/secret")))
    assert await shared.load(NAME) == Webhook(Secret("7/secret"))
    await shared.delete(NAME)
    await shared.delete(NAME)
    assert await shared.load(NAME) is None


async def test_a_damaged_entry_is_named_without_what_it_holds() -> None:
    store = MemoryStore()
    await store.put(NAME, {"token": "hunter2"}, collection=COLLECTION)
    with pytest.raises(AuthorisationError, match="damaged") as raised:
        await SharedTokenStore(store).load(NAME)
    assert "hunter2" not in str(raised.value)


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
    with pytest.raises(AuthorisationError) as raised:
        await STEPS[step](SharedTokenStore(BrokenStore(), lease=quick))
    assert raised.value.code == "STORE_FAILED"
    assert "BI_MCP_SHARED_STORE" in str(raised.value)
    assert "hunter2" not in str(raised.value)


async def test_an_error_inside_the_lock_is_not_taken_for_the_stores() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with SharedTokenStore(MemoryStore(), lease=quick).lock(NAME):
            raise ValueError("mine")
