"""Endless streams end with the client that opened them, and with nobody else's."""

from __future__ import annotations

import anyio
import pytest
from mcp.client.subscriptions import SubscriptionLost

from bi_mcp.errors import AuthorisationError
from tests.server.http.serving import LIMIT_S, client
from tests.server.http.sign_in.hosting import ANNA, BORIS, Hosted
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bi_mcp.server.http.sign_in.streams.LOOK_EVERY_S", 0.01)


async def disconnect(hosted: Hosted, user_id: int) -> None:
    """Disconnect the clients of a user, as the account page does."""
    [sign_ins] = hosted.sign_ins
    for each in await sign_ins.clients.everybodys():
        if each.person.user_id == user_id:
            await sign_ins.clients.disconnect(each.person, each.id)


async def test_the_stream_of_a_client_that_was_disconnected_ends(hosted: Hosted) -> None:
    hers, his = await hosted.connect(ANNA), await hosted.connect(BORIS)
    async with (
        client(hosted.host, hers.access) as anna,
        client(hosted.host, his.access) as boris,
        anna.listen(resource_subscriptions=["bi://history"]) as ending,
        boris.listen(resource_subscriptions=["bi://history"]) as going_on,
    ):
        await disconnect(hosted, ANNA.id)
        with anyio.fail_after(LIMIT_S), pytest.raises(SubscriptionLost):
            await anext(ending)
        await Talk(boris).add_connector()
        with anyio.fail_after(LIMIT_S):
            await anext(going_on)


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

    monkeypatch.setattr(
        "bi_mcp.app.sign_in.connected_clients.ConnectedClients.is_connected", staticmethod(fail)
    )
    async with (
        client(hosted.host, connected.access) as anna,
        anna.listen(resource_subscriptions=["bi://history"]) as going_on,
    ):
        with anyio.fail_after(LIMIT_S):
            await asked_often.wait()
        await Talk(anna).add_connector()
        with anyio.fail_after(LIMIT_S):
            await anext(going_on)
