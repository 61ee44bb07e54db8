"""The token and revocation endpoints, and what tokens open. People are let in by hand: how they come in is tested elsewhere."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bi_mcp.app.sign_in.asked import Asked
from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.app.sign_in.documents import Document, Documents
from bi_mcp.auth.person import Person
from bi_mcp.errors import AuthorisationError
from bi_mcp.server.http.sign_in.tokens import SignedInTokens
from tests.server.http.sign_in.flow import HandMadeClient, challenge_of, refusal
from tests.server.http.sign_in.site import Site, opened

pytestmark = pytest.mark.anyio

ANNA = Person(portal="https://acme.example", user_id=7, name="Anna Petrova")
BOTH = ("bi:read", "bi:write")
OTHER = "https://other.example/mcp"


def asked_by(client: HandMadeClient, **changes: Any) -> Asked:
    asked = {
        "client_id": client.id,
        "client_name": client.name,
        "redirect_uri": client.redirect,
        "redirect_uri_given": True,
        "state": client.state,
        "code_challenge": challenge_of(client.verifier),
        "scopes": BOTH,
        "resource": client.resource,
    }
    return Asked(**{**asked, **changes})


async def code_for(site: Site, client: HandMadeClient, **changes: Any) -> str:
    """A code of Anna for a client."""
    issued = await site.sign_ins.clients.issue_code(ANNA, asked_by(client, **changes), BOTH)
    return issued.reveal()


async def connected(site: Site, client: HandMadeClient) -> dict[str, Any]:
    """What the token endpoint answers a client that Anna connects."""
    answer = await client.exchange(await code_for(site, client))
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def test_a_code_becomes_tokens_that_open_the_server(site: Site) -> None:
    client = await site.registered()
    answer = await client.exchange(await code_for(site, client))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == (
        "Bearer",
        900,
        "bi:read bi:write",
    )
    assert (await client.greet(tokens["access_token"])).status_code == 200
    assert (await client.greet(tokens["refresh_token"])).status_code == 401


@pytest.mark.parametrize("resource", [None, "same", "slash"])
async def test_a_client_may_leave_the_resource_out(site: Site, resource: str | None) -> None:
    client = await site.registered()
    named = {"same": client.resource, "slash": f"{client.resource}/"}.get(resource or "")
    assert (await client.exchange(await code_for(site, client), resource=named)).status_code == 200


async def test_a_verified_token_says_who_it_is(site: Site) -> None:
    client = await site.registered()
    tokens = await connected(site, client)
    verifier = SignedInTokens(site.sign_ins.clients, site.origin)
    found = await verifier.verify_token(tokens["access_token"])
    assert found is not None
    assert found.person == ANNA
    assert (found.subject, found.client_name, found.client_id) == (ANNA.mark, client.name, client.id)
    assert (found.resource, found.claims) == (client.resource, {"iss": site.origin})
    assert tokens["access_token"] not in repr(found)


WRONG: dict[str, tuple[dict[str, str | None], tuple[int, str]]] = {
    "no grant_type": ({"grant_type": None}, (400, "invalid_request")),
    "password": ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    "client_credentials": ({"grant_type": "client_credentials"}, (400, "unsupported_grant_type")),
    "foreign resource": ({"resource": OTHER}, (400, "invalid_target")),
    "origin as resource": ({"resource": "http://127.0.0.1/"}, (400, "invalid_target")),
    "resource with a query": ({"resource": "http://127.0.0.1/mcp?x"}, (400, "invalid_target")),
    "no verifier": ({"code_verifier": None}, (400, "invalid_grant")),
    "empty verifier": ({"code_verifier": ""}, (400, "invalid_grant")),
    "other verifier": ({"code_verifier": "x" * 43}, (400, "invalid_grant")),
    "short verifier": ({"code_verifier": "x"}, (400, "invalid_grant")),
    "no code": ({"code": None}, (400, "invalid_request")),
    "other code": ({"code": "x" * 80}, (400, "invalid_grant")),
    "no redirect_uri": ({"redirect_uri": None}, (400, "invalid_request")),
    "other redirect_uri": ({"redirect_uri": "https://evil.example/cb"}, (400, "invalid_request")),
    "no client": ({"client_id": None}, (401, "invalid_client")),
    "unknown client": ({"client_id": "00000000"}, (401, "invalid_client")),
}


@pytest.mark.parametrize(("changes", "expected"), WRONG.values(), ids=WRONG)
async def test_a_wrong_exchange_gets_nothing_and_uses_nothing_up(
    site: Site, changes: dict[str, str | None], expected: tuple[int, str]
) -> None:
    client = await site.registered()
    code = await code_for(site, client)
    assert refusal(await client.exchange(**{"code": code, **changes})) == expected  # type: ignore[arg-type]
    assert (await client.exchange(code)).status_code == 200


@pytest.mark.parametrize(
    "name", ["grant_type", "code", "client_id", "redirect_uri", "code_verifier", "resource"]
)
async def test_a_repeated_parameter_is_refused(site: Site, name: str) -> None:
    client = await site.registered()
    sent = [
        ("grant_type", "authorization_code"),
        ("code", await code_for(site, client)),
        ("client_id", client.id),
        ("redirect_uri", client.redirect),
        ("code_verifier", client.verifier),
        ("resource", client.resource),
    ]
    body = str(httpx2.QueryParams([*sent, next(part for part in sent if part[0] == name)]))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.http.post(f"{site.origin}/token", content=body, headers=form)
    assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_only_an_encoded_form_is_read(site: Site, kind: str) -> None:
    answer = await site.http.post(
        f"{site.origin}/token", content=b"grant_type=refresh_token", headers={"Content-Type": kind}
    )
    assert refusal(answer) == (400, "invalid_request")


async def test_parameters_in_the_address_count_for_nothing(site: Site) -> None:
    client = await site.registered()
    sent = {"grant_type": "authorization_code", "client_id": client.id, "code": await code_for(site, client)}
    answer = await site.http.post(f"{site.origin}/token", params=sent, data={"client_id": client.id})
    assert refusal(answer) == (400, "invalid_request")


async def test_another_client_cannot_use_a_code_or_refresh_token(site: Site) -> None:
    client, thief = await site.registered(), await site.registered()
    code = await code_for(site, client)
    thief.verifier = client.verifier
    assert refusal(await thief.exchange(code)) == (400, "invalid_grant")
    tokens = (await client.exchange(code)).json()
    assert refusal(await thief.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert (await client.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_code_that_comes_twice_disconnects_the_client(site: Site) -> None:
    client = await site.registered()
    code = await code_for(site, client)
    tokens = (await client.exchange(code)).json()
    assert refusal(await client.exchange(code)) == (400, "invalid_grant")
    assert (await client.greet(tokens["access_token"])).status_code == 401
    assert refusal(await client.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


async def test_a_refresh_token_that_comes_twice_disconnects_the_client(site: Site) -> None:
    client = await site.registered()
    first = await connected(site, client)
    second = (await client.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await client.greet(second["access_token"])).status_code == 200
    assert refusal(await client.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert (await client.greet(second["access_token"])).status_code == 401
    assert refusal(await client.refresh(second["refresh_token"])) == (400, "invalid_grant")


async def test_a_renewal_may_ask_for_less_and_never_for_more(site: Site) -> None:
    client = await site.registered()
    read_only = await site.sign_ins.clients.issue_code(ANNA, asked_by(client), ["bi:read"])
    tokens = (await client.exchange(read_only.reveal())).json()
    assert tokens["scope"] == "bi:read"
    more = await client.refresh(tokens["refresh_token"], scope="bi:read bi:write")
    assert refusal(more) == (400, "invalid_scope")
    wide = await connected(site, client)
    less = (await client.refresh(wide["refresh_token"], scope="bi:read")).json()
    assert less["scope"] == "bi:read"


@pytest.mark.parametrize("grant", ["code", "refresh"])
async def test_a_token_is_not_issued_for_another_resource(site: Site, grant: str) -> None:
    client = await site.registered()
    if grant == "code":
        answer = await client.exchange(await code_for(site, client), resource=OTHER)
    else:
        answer = await client.refresh((await connected(site, client))["refresh_token"], resource=OTHER)
    assert refusal(answer) == (400, "invalid_target")


async def test_a_token_of_another_resource_does_not_open_the_server(site: Site) -> None:
    client = await site.registered()
    code = await code_for(site, client, resource=OTHER)
    assert refusal(await client.exchange(code)) == (400, "invalid_grant")
    tokens = await site.sign_ins.clients.redeem(code)
    assert tokens is not None
    assert (await client.greet(tokens.access.reveal())).status_code == 401
    assert refusal(await client.refresh(tokens.refresh.reveal())) == (400, "invalid_grant")


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


async def test_a_confidential_client_proves_itself(site: Site) -> None:
    client = site.client()
    secret = (await client.register(token_endpoint_auth_method="client_secret_basic")).json()["client_secret"]
    code = await code_for(site, client)
    grant = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect,
        "code_verifier": client.verifier,
    }
    token = f"{site.origin}/token"
    attempts: list[tuple[Mapping[str, str], Mapping[str, str], tuple[int, str]]] = [
        ({"client_id": client.id}, {}, (401, "invalid_client")),
        ({}, basic(client.id, "wrong"), (401, "invalid_client")),
        ({}, basic("00000000", secret), (401, "invalid_client")),
        ({"client_id": "00000000"}, basic(client.id, secret), (401, "invalid_client")),
        ({}, {"Authorization": "Basic %%%"}, (401, "invalid_client")),
        ({"client_secret": secret}, basic(client.id, secret), (400, "invalid_request")),
    ]
    for fields, headers, expected in attempts:
        answer = await site.http.post(token, data={**grant, **fields}, headers=headers)
        assert refusal(answer) == expected
    answer = await site.http.post(token, data=grant, headers=basic(client.id, secret))
    assert answer.status_code == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "something_else"])
async def test_a_client_revokes_its_tokens(site: Site, which: str, hint: str | None) -> None:
    client = await site.registered()
    tokens = await connected(site, client)
    revoke = {"token": tokens[which], "client_id": client.id} | ({"token_type_hint": hint} if hint else {})
    answer = await site.http.post(f"{site.origin}/revoke", data=revoke)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (await client.greet(tokens["access_token"])).status_code == 401
    assert (await site.http.post(f"{site.origin}/revoke", data=revoke)).status_code == 200


async def test_a_client_cannot_revoke_the_token_of_another(site: Site) -> None:
    client, other = await site.registered(), await site.registered()
    tokens = await connected(site, client)
    revoke = {"token": tokens["access_token"], "client_id": other.id}
    assert (await site.http.post(f"{site.origin}/revoke", data=revoke)).status_code == 200
    assert (await client.greet(tokens["access_token"])).status_code == 200


class Failing:
    """A store that stopped answering."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.fails = False

    async def get(self, name: str) -> Document | None:
        if self.fails:
            raise AuthorisationError("The store does not answer. Start it.", code="STORE_FAILED")
        return await self._documents.get(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)


@asynccontextmanager
async def with_failing_store(folder: Path) -> AsyncIterator[tuple[Site, Failing]]:
    failing = Failing(DocumentFolder(folder))
    async with opened(folder, store=lambda _: failing) as site:
        yield site, failing


async def test_while_the_store_is_away_nobody_is_told_that_their_token_is_wrong(tmp_path: Path) -> None:
    async with with_failing_store(tmp_path) as (site, store):
        client = await site.registered()
        tokens = await connected(site, client)
        store.fails = True
        answers = [
            await client.greet(tokens["access_token"]),
            await client.refresh(tokens["refresh_token"]),
            await site.http.post(f"{site.origin}/revoke", data={"token": "x", "client_id": client.id}),
        ]
        for answer in answers:
            assert refusal(answer) == (503, "temporarily_unavailable")
            assert answer.headers["retry-after"] == "30"
        page = await site.http.get(client.address())
        assert (page.status_code, "The store does not answer. Start it." in page.text) == (503, True)
        store.fails = False
        assert (await client.greet(tokens["access_token"])).status_code == 200


class FailingAfterUse(Failing):
    """A store that stops answering as soon as a code or a refresh token was used up."""

    async def change(self, name: str, change: Any, **options: Any) -> Document | None:
        changed = await self._documents.change(name, change, **options)
        self.fails = name.startswith("clients/")
        return changed


async def test_a_store_that_fails_once_a_token_is_used_up_costs_no_connection(tmp_path: Path) -> None:
    store = FailingAfterUse(DocumentFolder(tmp_path))
    async with opened(tmp_path, store=lambda _: store) as site:
        client = await site.registered()
        tokens = await connected(site, client)
        for _ in range(2):
            assert store.fails
            store.fails = False
            answer = await client.refresh(tokens["refresh_token"])
            assert answer.status_code == 200, answer.text
            tokens = answer.json()
        store.fails = False
        assert (await client.greet(tokens["access_token"])).status_code == 200
