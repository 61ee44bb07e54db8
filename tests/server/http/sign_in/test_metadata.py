"""What clients of every protocol version find: the metadata of the resource and of its authorization server."""

from __future__ import annotations

import pytest

from tests.server.http.serving import ACCEPT, HELLO
from tests.server.http.sign_in.site import Site

pytestmark = pytest.mark.anyio


async def test_a_client_finds_its_way_from_the_refusal_to_the_endpoints(site: Site) -> None:
    refused = await site.http.post(f"{site.origin}/mcp", json=HELLO, headers=ACCEPT)
    place = f"{site.origin}/.well-known/oauth-protected-resource/mcp"
    assert refused.status_code == 401
    assert f'resource_metadata="{place}"' in refused.headers["www-authenticate"]
    # Clients of 2025-11-25 and later ask for these scopes. Nobody may keep the refusal.
    assert ' scope="bi:read bi:write",' in refused.headers["www-authenticate"]
    assert refused.headers["cache-control"] == "no-store"
    resource = (await site.http.get(place)).json()
    assert resource["resource"] == f"{site.origin}/mcp"
    assert resource["authorization_servers"] == [site.origin]
    assert resource["scopes_supported"] == ["bi:read", "bi:write"]
    server = (await site.http.get(f"{site.origin}/.well-known/oauth-authorization-server")).json()
    assert server == {
        "issuer": site.origin,
        "authorization_endpoint": f"{site.origin}/authorize",
        "token_endpoint": f"{site.origin}/token",
        "registration_endpoint": f"{site.origin}/register",
        "revocation_endpoint": f"{site.origin}/revoke",
        "scopes_supported": ["bi:read", "bi:write"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


@pytest.mark.parametrize(
    "path", ["openid-configuration", "oauth-authorization-server/mcp", "oauth-protected-resource"]
)
async def test_metadata_that_there_is_not_is_not_found(site: Site, path: str) -> None:
    assert (await site.http.get(f"{site.origin}/.well-known/{path}")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/token", "/register", "/revoke", "/.well-known/oauth-authorization-server"]
)
async def test_a_client_in_a_browser_may_call_what_takes_no_cookie(site: Site, path: str) -> None:
    asked = {
        "Origin": "https://inspector.example",
        "Access-Control-Request-Method": "GET" if path.startswith("/.well") else "POST",
        "Access-Control-Request-Headers": "authorization,content-type,mcp-protocol-version",
    }
    answer = await site.http.options(f"{site.origin}{path}", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/authorize", "/account", "/sign-in/return", "/sign-in/x"])
async def test_pages_may_not_be_read_by_others(site: Site, path: str) -> None:
    answer = await site.http.get(f"{site.origin}{path}", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
