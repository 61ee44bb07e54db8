"""Portal logins of people, and their end with the last client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from bi_mcp.app.sign_in.connected_clients import ConnectedClients
from bi_mcp.app.sign_in.portal_entry import Entered
from bi_mcp.app.sign_in.portal_logins import UNUSED_LIFETIME_S, PortalLogins
from bi_mcp.app.sign_in.portals import SignInPortal
from bi_mcp.app.sign_in.sign_ins import SignIns, forget_unused, open_sign_ins
from bi_mcp.auth.person import Person
from bi_mcp.auth.token import Grant
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError
from tests.app.sign_in.people import ANNA, BORIS, PORTAL, asked, grant
from tests.app.sign_in.stores import Clock, FolderStore, Store

pytestmark = pytest.mark.anyio

ACME = SignInPortal(url=PORTAL, client_id="local.1", client_secret=Secret("secret-of-the-application"))


def opened(store: Store, clock: Clock) -> SignIns:
    documents = store.open()
    logins = PortalLogins(documents)
    clients = ConnectedClients(
        documents,
        clock=clock,
        joined=logins.stay,
        left=lambda person: forget_unused(clients, logins, person),
    )
    return SignIns(portals={ACME.host: ACME}, documents=documents, clients=clients, logins=logins)


async def connect(sign_ins: SignIns, person: Person, login: Grant) -> str:
    """Let a person in with a new client, and return its access token."""
    entered = Entered(person=person, grant=login)
    code = await sign_ins.let_in(entered, asked("Claude"), ("read",))
    issued = await sign_ins.clients.redeem(code.reveal())
    assert issued is not None
    return issued.access.reveal()


async def test_a_login_is_kept_for_all_replicas_and_replaced_by_a_newer_sign_in(
    store: Store, clock: Clock
) -> None:
    one, other = PortalLogins(store.open()), PortalLogins(store.open())
    assert await one.load(ANNA.mark) is None
    await one.keep(ANNA, grant(clock(), "old"))
    await other.keep(ANNA, grant(clock() + 1, "new"))
    assert await one.load(ANNA.mark) == grant(clock() + 1, "new")
    await one.keep(ANNA, grant(clock(), "overtaken"))
    assert await other.load(ANNA.mark) == grant(clock() + 1, "new")
    assert await other.load(BORIS.mark) is None
    contents = b"".join(await store.contents())
    for secret in (b"refresh-new", b"access-new", b"secret-of-the-application", b"Anna"):
        assert secret not in contents


async def test_a_login_that_a_wrong_clock_made_or_another_application_gives_way(
    store: Store, clock: Clock
) -> None:
    logins = PortalLogins(store.open())
    await logins.keep(ANNA, grant(clock() + 7200, "of a wrong clock"))
    await logins.keep(ANNA, grant(clock(), "new"))
    assert await logins.load(ANNA.mark) == grant(clock(), "new")
    made = grant(clock() - 1, "of another application")
    made = replace(made, application=replace(made.application, client_id="local.2"))
    await logins.keep(ANNA, made)
    assert await logins.load(ANNA.mark) == made


async def test_a_renewal_replaces_a_login_and_brings_none_back(store: Store, clock: Clock) -> None:
    logins = PortalLogins(store.open())
    await logins.keep(ANNA, grant(clock(), "old"))
    async with logins.lock(ANNA.mark):
        await logins.save(ANNA.mark, grant(clock() + 60, "renewed"))
    assert await logins.load(ANNA.mark) == grant(clock() + 60, "renewed")
    with pytest.raises(AuthorisationError) as held_up:
        await logins.save(ANNA.mark, grant(clock(), "of a replica that stood still"))
    assert held_up.value.code == "LOCKED"
    assert await logins.load(ANNA.mark) == grant(clock() + 60, "renewed")
    await logins.forget(ANNA)
    await logins.save(ANNA.mark, grant(clock() + 120, "of a renewal under way"))
    assert await logins.load(ANNA.mark) is None


async def test_who_forgets_a_login_waits_for_its_renewal(store: Store, clock: Clock) -> None:
    one, other = PortalLogins(store.open()), PortalLogins(store.open())
    await one.keep(ANNA, grant(clock()))
    async with anyio.create_task_group() as group, one.lock(ANNA.mark):
        group.start_soon(other.forget, ANNA)
        await anyio.wait_all_tasks_blocked()
        await one.save(ANNA.mark, grant(clock() + 60, "renewed"))
    assert await one.load(ANNA.mark) is None


async def test_a_damaged_login_counts_as_none_and_can_be_replaced(store: Store, clock: Clock) -> None:
    sign_ins = opened(store, clock)
    await sign_ins.documents.put(f"logins/{ANNA.mark}", {"token": "hunter2"})
    assert await sign_ins.logins.load(ANNA.mark) is None
    await sign_ins.logins.save(ANNA.mark, grant(clock()))
    assert await sign_ins.logins.load(ANNA.mark) == grant(clock())
    await store.damage(f"logins/{ANNA.mark}")
    await sign_ins.logins.keep(ANNA, grant(clock(), "new"))
    assert await sign_ins.logins.load(ANNA.mark) == grant(clock(), "new")


async def test_the_login_is_forgotten_with_the_last_client(store: Store, clock: Clock) -> None:
    sign_ins, replica = opened(store, clock), opened(store, clock)
    await connect(sign_ins, ANNA, grant(clock()))
    await connect(replica, ANNA, grant(clock() + 1, "newer"))
    await connect(sign_ins, BORIS, grant(clock()))
    first, second = [client.id for client in await sign_ins.clients.of(ANNA)]
    assert await replica.clients.disconnect(ANNA, first)
    assert await sign_ins.logins.load(ANNA.mark) == grant(clock() + 1, "newer")
    assert await replica.clients.disconnect(ANNA, second)
    assert await sign_ins.logins.load(ANNA.mark) is None
    assert await sign_ins.logins.load(BORIS.mark) is not None


async def test_a_login_whose_client_never_used_its_code_ends(tmp_path: Path, clock: Clock) -> None:
    sign_ins = opened(FolderStore(tmp_path, clock), clock)
    entered = Entered(person=ANNA, grant=grant(clock()))
    await sign_ins.let_in(entered, asked("Claude"), ("read",))
    assert await sign_ins.logins.load(ANNA.mark) == entered.grant
    clock.now += UNUSED_LIFETIME_S
    assert await sign_ins.logins.load(ANNA.mark) is None
    await connect(sign_ins, ANNA, grant(clock()))
    clock.now += UNUSED_LIFETIME_S
    # A second client that never comes takes nothing from the first.
    await sign_ins.let_in(Entered(person=ANNA, grant=grant(clock(), "2")), asked("Cursor"), ("read",))
    clock.now += UNUSED_LIFETIME_S
    assert await sign_ins.logins.load(ANNA.mark) is not None


async def test_whoever_signs_in_while_their_last_client_is_disconnected_keeps_the_login(
    store: Store, clock: Clock
) -> None:
    sign_ins = opened(store, clock)
    await connect(sign_ins, ANNA, grant(clock()))
    (old,) = await sign_ins.clients.of(ANNA)

    class Interrupted(PortalLogins):
        async def keep(
            self, person: Person, grant: Grant, *, is_used: Callable[[], Awaitable[bool]] | None = None
        ) -> None:
            await super().keep(person, grant, is_used=is_used)
            await sign_ins.clients.disconnect(ANNA, old.id)

    during = replace(sign_ins, logins=Interrupted(store.open()))
    access = await connect(during, ANNA, grant(clock() + 1, "new"))
    assert await sign_ins.clients.find_access(access) is not None
    assert await sign_ins.logins.load(ANNA.mark) == grant(clock() + 1, "new")


async def test_signing_out_ends_everything_of_one_person_or_of_everybody(store: Store, clock: Clock) -> None:
    sign_ins = opened(store, clock)
    hers = [await connect(sign_ins, ANNA, grant(clock())) for _ in range(2)]
    pending = await sign_ins.let_in(Entered(person=ANNA, grant=grant(clock())), asked("Cursor"), ("read",))
    his = await connect(sign_ins, BORIS, grant(clock()))
    assert await sign_ins.sign_out(ANNA) == 2
    assert [await sign_ins.clients.find_access(token) for token in hers] == [None, None]
    assert await sign_ins.clients.redeem(pending.reveal()) is None
    assert await sign_ins.logins.load(ANNA.mark) is None
    assert await sign_ins.clients.find_access(his) is not None
    await sign_ins.logins.keep(ANNA, grant(clock()))
    assert await sign_ins.sign_everybody_out() == 1
    assert await sign_ins.clients.find_access(his) is None
    assert await sign_ins.documents.names("") == []


async def test_a_portal_or_user_that_the_operator_took_away_is_not_found() -> None:
    def found(portal: SignInPortal | None, person: Person = ANNA) -> SignInPortal | None:
        portals = {} if portal is None else {portal.host: portal}
        sign_ins = open_sign_ins([], Path("nowhere"), None)
        return replace(sign_ins, portals=portals).find_portal(person)

    assert found(ACME) == ACME
    assert found(None) is None
    assert found(replace(ACME, url="https://other.bitrix24.example")) is None
    assert found(replace(ACME, users=frozenset({BORIS.user_id}))) is None
    assert found(replace(ACME, users=frozenset({ANNA.user_id}))) is not None
    assert found(replace(ACME, users=frozenset({1}), departments=frozenset({2}))) is not None


async def test_without_redis_all_is_kept_in_the_configuration_folder(tmp_path: Path) -> None:
    sign_ins = open_sign_ins([ACME], tmp_path, None)
    assert sign_ins.portals == {"acme.bitrix24.example": ACME}
    access = await connect(sign_ins, ANNA, grant(0.0))
    again = open_sign_ins([ACME], tmp_path, None)
    assert await again.clients.find_access(access) is not None
    assert await again.sign_out(ANNA) == 1
    assert await again.logins.load(ANNA.mark) is None
    assert await sign_ins.clients.find_access(access) is None
