"""Endless streams end with the client that opened them, and with nobody else's."""

from __future__ import annotations

import anyio
import pytest
from mcp.client.subscriptions import SubscriptionLost

from bi_mcp.errors import AuthorisationError
from tests.server.http.serving import HELLO, LIMIT_S, client, http_client
from tests.server.http.sign_in.hosting import ANNA, BORIS, Connected, Hosted

pytestmark = pytest.mark.anyio

STREAM = {"Mcp-Protocol-Version": "2025-11-25"}


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bi_mcp.server.http.sign_in.streams.LOOK_EVERY_S", 0.01)


async def disconnect(hosted: Hosted, user_id: int) -> None:
    """Disconnect the clients of a user, as the account page does."""
    [sign_ins] = hosted.sign_ins
    for each in await sign_ins.clients.everybodys():
        if each.person.user_id == user_id:
            await sign_ins.clients.disconnect(each.person, each.id)


async def follow(hosted: Hosted, connected: Connected, opened: anyio.Event, ended: anyio.Event) -> None:
    """Hold the stream of an older protocol until the server ends it."""
    async with http_client(hosted.host, connected.access) as http:
        greeted = await http.post("/mcp", json=HELLO)
        session = {"Mcp-Session-Id": greeted.headers["mcp-session-id"], **STREAM}
        async with http.stream("GET", "/mcp", headers=session) as events:
            assert events.status_code == 200
            opened.set()
            async for _ in events.aiter_raw():
                pass
        ended.set()


async def test_a_disconnected_clients_stream_of_an_older_protocol_ends(hosted: Hosted) -> None:
    hers, his = await hosted.connect(ANNA), await hosted.connect(BORIS)
    opened, ended = anyio.Event(), anyio.Event()
    other_opened, other_ended = anyio.Event(), anyio.Event()
    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            group.start_soon(follow, hosted, hers, opened, ended)
            group.start_soon(follow, hosted, his, other_opened, other_ended)
            await opened.wait()
            await other_opened.wait()
            await disconnect(hosted, ANNA.id)
            await ended.wait()
            assert not other_ended.is_set()
            group.cancel_scope.cancel()


async def test_a_disconnected_clients_stream_of_the_newest_protocol_ends(hosted: Hosted) -> None:
    connected = await hosted.connect(ANNA)
    async with (
        client(hosted.host, connected.access) as hers,
        hers.listen(resource_subscriptions=["bi://connector/1"]) as events,
    ):
        await disconnect(hosted, ANNA.id)
        with anyio.fail_after(LIMIT_S), pytest.raises(SubscriptionLost):
            await anext(events)


async def test_a_store_that_does_not_answer_ends_no_stream(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = await hosted.connect(ANNA)
    asked, asked_often = 0, anyio.Event()

    async def fail(_id: str) -> bool:
        nonlocal asked
        asked += 1
        if asked == 3:
            asked_often.set()
        raise AuthorisationError("the store does not answer", code="STORE_FAILED")

    monkeypatch.setattr(hosted.sign_ins[0].clients, "is_connected", fail)
    opened, ended = anyio.Event(), anyio.Event()
    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            group.start_soon(follow, hosted, connected, opened, ended)
            await opened.wait()
            await asked_often.wait()
            assert not ended.is_set()
            group.cancel_scope.cancel()
