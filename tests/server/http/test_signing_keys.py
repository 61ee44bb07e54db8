"""The keys of an OAuth server: where they are found, how long they are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import jwt
import pytest

from bi_mcp.server.http.signing_keys import FRESH_S, PAUSE_S, USABLE_S, SigningKeys
from tests.server.http.issuer import Issuer

pytestmark = pytest.mark.anyio

ISSUER = "http://localhost"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def keys_of(
    issuer: Issuer, clock: Clock, address: str = ISSUER, jwks: str | None = None
) -> AsyncIterator[SigningKeys]:
    issuer.address = issuer.address or address
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=issuer))
    keys = SigningKeys(address, jwks, http=http, clock=clock)
    yield keys
    await keys.aclose()


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (ISSUER, "/.well-known/oauth-authorization-server"),
        (ISSUER, "/.well-known/openid-configuration"),
        (f"{ISSUER}/realms/bi", "/.well-known/oauth-authorization-server/realms/bi"),
        (f"{ISSUER}/realms/bi", "/realms/bi/.well-known/openid-configuration"),
    ],
)
async def test_the_metadata_is_found_where_servers_put_it(clock: Clock, address: str, path: str) -> None:
    issuer = Issuer(metadata_path=path)
    async with keys_of(issuer, clock, address) as keys:
        assert (await keys.find("one")).key_id == "one"


async def test_a_configured_address_of_the_keys_needs_no_metadata(clock: Clock) -> None:
    issuer = Issuer()
    async with keys_of(issuer, clock, jwks=f"{ISSUER}/keys") as keys:
        await keys.find("one")
    assert issuer.asked == ["/keys"]


async def test_metadata_of_another_issuer_is_not_believed(clock: Clock) -> None:
    async with keys_of(Issuer(address="http://evil.localhost"), clock) as keys:
        with pytest.raises(jwt.PyJWTError):
            await keys.find("one")


async def test_a_token_without_key_id_needs_an_issuer_with_one_key(clock: Clock) -> None:
    issuer = Issuer()
    async with keys_of(issuer, clock) as keys:
        assert (await keys.find(None)).key_id == "one"
        issuer.keys = ["one", "two"]
        clock.now += FRESH_S + 1
        with pytest.raises(jwt.PyJWTError):
            await keys.find(None)


async def test_keys_are_fetched_once_and_again_when_they_are_old(clock: Clock) -> None:
    issuer = Issuer()
    async with keys_of(issuer, clock) as keys:
        for _ in range(3):
            await keys.find("one")
        assert issuer.asked.count("/keys") == 1
        clock.now += FRESH_S + 1
        await keys.find("one")
    assert issuer.asked.count("/keys") == 2


async def test_a_new_key_is_found_and_made_up_ones_do_not_become_requests(clock: Clock) -> None:
    issuer = Issuer()
    async with keys_of(issuer, clock) as keys:
        await keys.find("one")
        issuer.keys = ["one", "two"]
        for made_up in ("two", "three", "four"):
            with pytest.raises(jwt.PyJWTError):
                await keys.find(made_up)
        assert issuer.asked.count("/keys") == 1
        clock.now += PAUSE_S + 1
        assert (await keys.find("two")).key_id == "two"


async def test_an_issuer_that_is_down_is_outlived_for_an_hour(clock: Clock) -> None:
    issuer = Issuer()
    async with keys_of(issuer, clock) as keys:
        await keys.find("one")
        issuer.down = True
        clock.now += FRESH_S + 1
        assert (await keys.find("one")).key_id == "one"
        clock.now += USABLE_S
        with pytest.raises(jwt.PyJWTError):
            await keys.find("one")
        issuer.down = False
        clock.now += PAUSE_S + 1
        assert (await keys.find("one")).key_id == "one"
