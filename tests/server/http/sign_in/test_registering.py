"""Clients that register themselves, which anybody may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.http.sign_in.flow import RETURN, refusal
from tests.server.http.sign_in.site import Site, opened

pytestmark = pytest.mark.anyio


async def test_a_public_client_registers(site: Site) -> None:
    answer = await site.client().register(scope="bi:read")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    registered = answer.json()
    assert registered.pop("client_id")
    assert registered.pop("client_id_issued_at")
    assert registered == {
        "client_name": "Hand-made client",
        "redirect_uris": [RETURN],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "scope": "bi:read",
    }


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_confidential_client_gets_a_secret(site: Site, method: str) -> None:
    registered = (await site.client().register(token_endpoint_auth_method=method)).json()
    assert registered["token_endpoint_auth_method"] == method
    assert len(registered["client_secret"]) == 64
    assert registered["client_secret_expires_at"] == 0


async def test_what_the_server_does_not_support_is_left_out(site: Site) -> None:
    answer = await site.client().register(
        scope="openid bi:write",
        grant_types=["authorization_code", "refresh_token", "implicit"],
        response_types=["code", "token"],
        logo_uri="https://evil.example/logo.svg",
        jwks={"keys": ["x" * 100]},
        nonsense="<script>",
    )
    registered = answer.json()
    assert registered["scope"] == "bi:write"
    assert registered["grant_types"] == ["authorization_code", "refresh_token"]
    assert registered["response_types"] == ["code"]
    assert not {"logo_uri", "jwks", "nonsense"} & set(registered)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no address": ({"redirect_uris": []}, "invalid_redirect_uri"),
    "address missing": ({"redirect_uris": None}, "invalid_redirect_uri"),
    "not an address": ({"redirect_uris": ["nonsense"]}, "invalid_redirect_uri"),
    "many addresses": ({"redirect_uris": [f"{RETURN}/{n}" for n in range(17)]}, "invalid_redirect_uri"),
    "clear text": ({"redirect_uris": ["http://client.example/cb"]}, "invalid_redirect_uri"),
    "one bad address": ({"redirect_uris": [RETURN, "javascript:alert(1)"]}, "invalid_redirect_uri"),
    "data": ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
    "file": ({"redirect_uris": ["file:///etc/passwd"]}, "invalid_redirect_uri"),
    "fragment": ({"redirect_uris": ["https://client.example/cb#x"]}, "invalid_redirect_uri"),
    "login": ({"redirect_uris": ["https://a:b@client.example/cb"]}, "invalid_redirect_uri"),
    "not normal": ({"redirect_uris": ["https://client.example/x/../cb"]}, "invalid_redirect_uri"),
    "long name": ({"client_name": "x" * 201}, "invalid_client_metadata"),
    "name of another type": ({"client_name": {"a": 1}}, "invalid_client_metadata"),
    "key": ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    "unknown method": ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
}


@pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED)
async def test_a_registration_is_refused(site: Site, changes: dict[str, Any], error: str) -> None:
    answer = await site.client().register(**changes)
    assert refusal(answer) == (400, error)


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b"\xff", b"[" * 5000, b'{"redirect_uris": NaN}'], ids=str
)
async def test_a_body_that_is_no_registration_is_refused(site: Site, body: bytes) -> None:
    answer = await site.http.post(f"{site.origin}/register", content=body)
    status, error = refusal(answer)
    assert (status, error) in {(400, "invalid_client_metadata"), (400, "invalid_redirect_uri")}


async def test_clients_that_nobody_uses_are_bounded_and_become_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.app.sign_in.registered_clients.MOST_UNUSED", 3)
    async with opened(tmp_path) as site:
        answers = [await site.client().register() for _ in range(40)]
    assert [answer.status_code for answer in answers].count(201) == 3
    assert refusal(answers[-1]) == (400, "invalid_client_metadata")
