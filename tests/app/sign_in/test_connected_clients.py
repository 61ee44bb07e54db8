"""Connected clients: what opens something, for how long, and what ends it for everyone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest

from bi_mcp.app.sign_in import connected_clients
from bi_mcp.app.sign_in.connected_clients import (
    ACCESS_LIFETIME_S,
    CODE_LIFETIME_S,
    REFRESH_LIFETIME_S,
    ConnectedClients,
    IssuedTokens,
)
from bi_mcp.auth.person import Person
from tests.app.sign_in.people import ANNA, BORIS, asked
from tests.app.sign_in.stores import Clock, Store

pytestmark = pytest.mark.anyio

Use = Callable[[], Awaitable[IssuedTokens | None]]


@pytest.fixture
def replicas(store: Store, clock: Clock) -> list[ConnectedClients]:
    return [ConnectedClients(store.open(), clock=clock) for _ in range(2)]


async def connected(clients: ConnectedClients, person: Person = ANNA, name: str = "Claude") -> IssuedTokens:
    code = await clients.issue_code(person, asked(name), ["read", "write"])
    issued = await clients.redeem(code.reveal())
    assert issued is not None
    return issued


async def test_a_code_gives_tokens_and_they_say_whose_they_are(
    replicas: list[ConnectedClients], clock: Clock
) -> None:
    one, other = replicas
    code = await one.issue_code(ANNA, asked("Claude"), ["read", "write"])
    found = await other.find_code(code.reveal())
    assert found is not None
    assert (found.asked, found.person, found.scopes) == (asked("Claude"), ANNA, ("read", "write"))
    assert found.expires_at == clock.now + CODE_LIFETIME_S
    assert await one.of(ANNA) == [], "it is not connected before its code is used"

    issued = await other.redeem(code.reveal())
    assert issued is not None
    assert issued.scopes == ("read", "write")
    client = await one.find_access(issued.access.reveal())
    assert client is not None
    assert (client.person, client.client_name, client.scopes) == (ANNA, "Claude", ("read", "write"))
    assert (client.resource, client.connected_at, client.used_at) == (
        "https://bi.example/mcp",
        clock.now,
        clock.now,
    )
    assert await other.find_refresh(issued.refresh.reveal()) == client
    assert await one.of(ANNA) == [client]
    assert await one.people() == [ANNA]


async def test_a_renewal_replaces_both_tokens_and_never_grants_more(
    replicas: list[ConnectedClients], clock: Clock
) -> None:
    one, other = replicas
    first = await connected(one)
    clock.now += 600
    second = await other.refresh(first.refresh.reveal(), ["write", "everything"])
    assert second is not None
    assert second.scopes == ("write",)
    assert await one.find_access(first.access.reveal()) is None
    narrowed = await one.find_access(second.access.reveal())
    assert narrowed is not None
    assert (narrowed.scopes, narrowed.used_at - narrowed.connected_at) == (("write",), 600)
    granted = await one.find_refresh(second.refresh.reveal())
    assert granted is not None
    assert granted.scopes == ("read", "write")


async def test_codes_and_tokens_end_with_their_time(replicas: list[ConnectedClients], clock: Clock) -> None:
    one, other = replicas
    late = await one.issue_code(ANNA, asked("Late"), ["read"])
    clock.now += CODE_LIFETIME_S
    assert await other.find_code(late.reveal()) is None
    assert await other.redeem(late.reveal()) is None
    issued = await connected(one)
    clock.now += ACCESS_LIFETIME_S - 1
    assert await other.find_access(issued.access.reveal()) is not None
    clock.now += 1
    assert await other.find_access(issued.access.reveal()) is None
    clock.now += REFRESH_LIFETIME_S - ACCESS_LIFETIME_S - 1
    assert await other.find_refresh(issued.refresh.reveal()) is not None
    clock.now += 1
    assert await other.find_refresh(issued.refresh.reveal()) is None
    assert await other.refresh(issued.refresh.reveal(), ["read"]) is None
    assert await other.of(ANNA) == []


@pytest.mark.parametrize("look", ["find", "use"])
async def test_a_code_that_comes_again_disconnects_the_client(
    replicas: list[ConnectedClients], look: str
) -> None:
    one, other = replicas
    code = await one.issue_code(ANNA, asked("Claude"), ["read"])
    issued = await one.redeem(code.reveal())
    assert issued is not None
    assert await (other.find_code(code.reveal()) if look == "find" else other.redeem(code.reveal())) is None
    assert await one.find_access(issued.access.reveal()) is None
    assert await one.refresh(issued.refresh.reveal(), ["read"]) is None
    assert await one.of(ANNA) == []


@pytest.mark.parametrize("look", ["find", "use"])
async def test_a_refresh_token_that_comes_again_disconnects_the_client_and_no_other(
    replicas: list[ConnectedClients], look: str
) -> None:
    one, other = replicas
    bystander = await connected(one)
    first = await connected(one, name="Cursor")
    second = await one.refresh(first.refresh.reveal(), ["read"])
    assert second is not None
    stolen = first.refresh.reveal()
    assert await (other.find_refresh(stolen) if look == "find" else other.refresh(stolen, ["read"])) is None
    assert await one.find_access(second.access.reveal()) is None
    assert await one.refresh(second.refresh.reveal(), ["read"]) is None
    assert await one.find_access(bystander.access.reveal()) is not None


async def test_what_is_made_up_disconnects_nobody(replicas: list[ConnectedClients]) -> None:
    one, other = replicas
    issued = await connected(one)
    id = (await one.of(ANNA))[0].id
    code, access, refresh = f"bi_code_{id}{'a' * 43}", f"bi_at_{id}{'a' * 43}", f"bi_rt_{id}{'a' * 65}"
    for made_up in ("", "bi_at_", "\ud800", code, access, refresh, issued.access.reveal()[:-1], "ä" * 81):
        assert await other.find_code(made_up) is None
        assert await other.redeem(made_up) is None
        assert await other.find_refresh(made_up) is None
        assert await other.refresh(made_up, ["read"]) is None
        assert await other.find_access(made_up) is None
    # Each token opens only what is its own.
    assert await other.find_access(issued.refresh.reveal()) is None
    assert await other.find_refresh(issued.access.reveal()) is None
    assert await other.find_access(issued.access.reveal()) is not None


@pytest.mark.parametrize("kind", ["code", "refresh token"])
async def test_of_all_who_use_one_at_once_one_gets_tokens_and_they_are_withdrawn(
    replicas: list[ConnectedClients], kind: str
) -> None:
    if kind == "code":
        code = (await replicas[0].issue_code(ANNA, asked("Claude"), ["read"])).reveal()
        uses: list[Use] = [partial(each.redeem, code) for each in replicas * 3]
    else:
        token = (await connected(replicas[0])).refresh.reveal()
        uses = [partial(each.refresh, token, ["read"]) for each in replicas * 3]
    got: list[IssuedTokens | None] = []

    async def use(step: Use) -> None:
        got.append(await step())

    async with anyio.create_task_group() as group:
        for step in uses:
            group.start_soon(use, step)
    (issued,) = [each for each in got if each is not None]
    assert await replicas[0].find_access(issued.access.reveal()) is None
    assert await replicas[1].find_refresh(issued.refresh.reveal()) is None
    assert await replicas[0].of(ANNA) == []


async def test_a_person_disconnects_their_own_clients_only(
    replicas: list[ConnectedClients], clock: Clock
) -> None:
    one, other = replicas
    hers, his = await connected(one), await connected(one, BORIS)
    clock.now += 1
    newer = await connected(one, name="Cursor")
    pending = await one.issue_code(ANNA, asked("VS Code"), ["read"])
    clients = await other.of(ANNA)
    assert [client.client_name for client in clients] == ["Cursor", "Claude"]
    assert not await other.disconnect(BORIS, clients[1].id)
    assert not await other.disconnect(ANNA, "../key")
    assert await other.disconnect(ANNA, clients[1].id)
    assert not await other.disconnect(ANNA, clients[1].id)
    assert await one.find_access(hers.access.reveal()) is None
    assert await one.find_access(newer.access.reveal()) is not None
    assert not await other.has_left(ANNA)
    assert await other.disconnect_all(ANNA) == 1
    assert await one.redeem(pending.reveal()) is None, "nor does a code that was under way"
    assert await other.has_left(ANNA)
    assert await one.find_access(his.access.reveal()) is not None
    assert await one.people() == [BORIS]


async def test_people_whose_marks_begin_alike_do_not_see_each_others_clients(
    replicas: list[ConnectedClients], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = replicas
    await connected(one)
    his = await connected(one, BORIS)
    monkeypatch.setattr(connected_clients, "tag_of", lambda _: "")
    assert [client.person for client in await other.of(ANNA)] == [ANNA]
    assert await other.disconnect_all(ANNA) == 1
    assert await other.has_left(ANNA)
    assert not await other.has_left(BORIS)
    assert await one.find_access(his.access.reveal()) is not None


async def test_the_store_holds_no_token(store: Store, clock: Clock) -> None:
    clients = ConnectedClients(store.open(), clock=clock)
    issued = await connected(clients)
    contents = b"".join(await store.contents())
    documents = store.open()
    contents += repr([await documents.get(name) for name in await documents.names("")]).encode()
    for token in (issued.access, issued.refresh):
        assert token.reveal()[-43:].encode() not in contents
