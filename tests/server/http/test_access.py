"""Who may call a hosted server, and what a token allows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import jwt
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings
from bi_mcp.server.http.options import HttpOptions
from tests.practice.portal.serving import served
from tests.server.conftest import Era
from tests.server.http.issuer import AUDIENCE, Issuer, key
from tests.server.http.serving import HELLO, LIMIT_S, client, hosted, http_client
from tests.server.talking import Talk, connector_fields

pytestmark = pytest.mark.anyio

TOKEN = "a-token-of-exactly-32-characters"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server with a fixed token."""
    async with hosted(HttpOptions(settings=HttpSettings(token=Secret(TOKEN)))) as address:
        yield address


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    async with served(issuer) as address:
        issuer.address = f"http://{address}"
        yield issuer


@pytest.fixture
async def guarded(issuer: Issuer) -> AsyncIterator[str]:
    """A server that accepts the tokens of the issuer."""
    settings = HttpSettings(issuer=issuer.address, audience=AUDIENCE)
    async with hosted(HttpOptions(allowed_hosts=("bi.example",), settings=settings)) as address:
        yield address


async def test_a_client_with_the_fixed_token_reads_and_writes(address: str, era: Era) -> None:
    with anyio.fail_after(LIMIT_S):
        async with client(address, TOKEN, era) as connected:
            talk = Talk(connected)
            id = await talk.add_connector()
            assert (await talk.done("connector_get", id=id))["item"]["title"] == "Sample"


@pytest.mark.parametrize("token", [None, "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 32])
async def test_any_other_token_is_turned_away(address: str, token: str | None) -> None:
    async with http_client(address) as http:
        headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
        answer = await http.post("/mcp", json=HELLO, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert TOKEN not in answer.text


async def test_a_client_of_the_oauth_server_reads_and_writes(guarded: str, issuer: Issuer, era: Era) -> None:
    with anyio.fail_after(LIMIT_S):
        async with client(guarded, issuer.token(), era) as connected:
            assert await Talk(connected).add_connector() > 0


async def test_without_bi_write_a_client_reads_and_is_told_what_it_lacks(
    guarded: str, issuer: Issuer, era: Era
) -> None:
    with anyio.fail_after(LIMIT_S):
        async with client(guarded, issuer.token("openid bi:read"), era) as connected:
            talk = Talk(connected)
            assert (await talk.done("connector_list"))["items"] == []
            assert "read only" in await talk.read("bi://connector/fields")
            refused = await talk.refused("connector_add", fields=connector_fields())
            assert "lacks the scope bi:write" in refused
            assert "it has: openid, bi:read" in refused
            for tool in ("connector_delete", "source_update", "dataset_fields_update", "no_such_tool"):
                assert "bi:write" in await talk.refused(tool, id=1)
            # Of a source alone nothing goes to an address that the call names.
            assert "SOURCE_NOT_FOUND" in await talk.refused("connector_check", source=1)
            assert "SOURCE_NOT_FOUND" in await talk.refused("connector_check", source_id=1)
            assert "bi:write" in await talk.refused("connector_check", source=1, parameters={"login": "u"})
            assert "bi:write" in await talk.refused("connector_check", source=1, settings={"login": "u"})
            assert "bi:write" in await talk.refused(
                "connector_check", urls={"urlCheck": "https://a.example/"}
            )
            assert (await talk.done("connector_list"))["items"] == []


@pytest.mark.parametrize("scope", ["", "bi:write", "bi:reader", "BI:READ"])
async def test_without_bi_read_nobody_comes_in(guarded: str, issuer: Issuer, scope: str) -> None:
    async with http_client(guarded, issuer.token(scope)) as http:
        answer = await http.post("/mcp", json=HELLO)
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"
    assert "bi:read" in answer.json()["error_description"]
    assert ' scope="bi:read",' in answer.headers["WWW-Authenticate"]


async def test_a_session_does_not_keep_the_rights_of_an_older_token(guarded: str, issuer: Issuer) -> None:
    tokens = [issuer.token()]

    async def current(request: httpx2.Request) -> None:
        request.headers["Authorization"] = f"Bearer {tokens[-1]}"

    with anyio.fail_after(LIMIT_S):
        http = http_client(guarded)
        http.event_hooks["request"] = [current]
        async with client(guarded, era="legacy", http=http) as connected:
            talk = Talk(connected)
            await talk.add_connector()
            tokens.append(issuer.token("bi:read"))
            assert "bi:write" in await talk.refused("connector_add", fields=connector_fields())
            tokens.append(issuer.token())
            await talk.add_connector()


async def test_a_list_of_scopes_counts_as_well(guarded: str, issuer: Issuer) -> None:
    token = issuer.token(None, scp=["bi:read", "bi:write"])
    with anyio.fail_after(LIMIT_S):
        async with client(guarded, token) as connected:
            assert await Talk(connected).add_connector() > 0


HOUR = 3600
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://other.example"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": int(time.time()) - HOUR},
    "for ever": {"exp": None},
    "not yet": {"nbf": int(time.time()) + HOUR},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_a_token_for_somebody_else_or_another_time_is_turned_away(
    guarded: str, issuer: Issuer, name: str
) -> None:
    async with http_client(guarded, issuer.token(**BAD_CLAIMS[name])) as http:
        assert (await http.post("/mcp", json=HELLO)).status_code == 401


@pytest.mark.parametrize(
    ("typ", "status"),
    [
        (None, 200),
        ("JWT", 200),
        ("at+jwt", 200),
        ("application/at+JWT", 200),
        ("logout+jwt", 401),
        ("dpop+jwt", 401),
        ("secevent+jwt", 401),
        ("id_token", 401),
    ],
)
async def test_a_token_of_another_type_is_turned_away(
    guarded: str, issuer: Issuer, typ: str | None, status: int
) -> None:
    async with http_client(guarded, issuer.token(typ=typ)) as http:
        assert (await http.post("/mcp", json=HELLO)).status_code == status


async def test_a_token_that_the_issuer_did_not_sign_is_turned_away(guarded: str, issuer: Issuer) -> None:
    good = issuer.token()
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = {
        "another key of the same name": jwt.encode(claims, key("evil"), "RS256", headers={"kid": "one"}),
        "an unknown key": issuer.token(signed_by="evil"),
        "no signature": jwt.encode(claims, "", "none", headers={"kid": "one"}),
        "the id as a shared secret": jwt.encode(claims, "one" * 20, "HS256", headers={"kid": "one"}),
        "changed text": good[:-6] + "AAAAAA",
        "no token": "garbage",
    }
    for name, token in forged.items():
        async with http_client(guarded, token) as http:
            assert (await http.post("/mcp", json=HELLO)).status_code == 401, name
    async with http_client(guarded, good) as http:
        assert (await http.post("/mcp", json=HELLO)).status_code == 200


async def test_clients_learn_whom_to_ask_for_a_token(guarded: str, issuer: Issuer) -> None:
    async with http_client(guarded) as http:
        turned_away = await http.post("/mcp", json=HELLO)
        assert (
            "https://bi.example/.well-known/oauth-protected-resource/mcp"
            in (turned_away.headers["WWW-Authenticate"])
        )
        metadata = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
    assert metadata["resource"] == AUDIENCE
    assert metadata["authorization_servers"] == [issuer.address]
    assert metadata["scopes_supported"] == ["bi:read", "bi:write"]
