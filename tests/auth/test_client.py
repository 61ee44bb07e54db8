from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bi_mcp.auth.client import OAuthClient
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, BiMcpError, UnexpectedAnswerError, UnreachableError
from tests.auth.portal import USER, Clock, LoginPortal
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

LOGIN = advise(AdviceKind.LOG_IN)


def client(clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> OAuthClient:
    return OAuthClient(login=LOGIN, clock=clock, transport=transport)


def answering(status: int, content: str, headers: dict[str, str] | None = None) -> httpx.MockTransport:
    """A server that gives one answer, such as no portal gives when it is asked."""
    return httpx.MockTransport(
        lambda _: httpx.Response(status, stream=httpx.ByteStream(content.encode()), headers=headers)
    )


async def test_a_code_becomes_a_token_that_works(portal: LoginPortal, clock: Clock) -> None:
    code = Secret(portal.tokens.authorise(portal.card, USER))
    token = await client(clock, portal.transport()).exchange(portal.application(), code)
    assert portal.accepts(token.access_token)
    assert (token.user_id, token.scope) == (USER, ("biconnector",))
    assert token.expires_at == clock() + 3600
    with pytest.raises(AuthorisationError, match="lives 30 seconds and works once") as used:
        await client(clock, portal.transport()).exchange(portal.application(), code)
    assert used.value.code == "invalid_grant"


async def test_a_refresh_token_works_once(portal: LoginPortal, clock: Clock) -> None:
    token = portal.grant(clock()).token
    asked = client(clock, portal.transport())
    renewed = await asked.refresh(portal.application(), token.refresh_token)
    assert portal.accepts(renewed.access_token)
    with pytest.raises(AuthorisationError, match="not used for 180 days"):
        await asked.refresh(portal.application(), token.refresh_token)


async def test_a_wrong_secret_is_told_with_the_card(portal: LoginPortal, clock: Clock) -> None:
    wrong = replace(portal.application(), client_secret=Secret("wrong"))
    with pytest.raises(AuthorisationError, match="Compare client_id and client_secret") as error:
        await client(clock, portal.transport()).exchange(wrong, Secret("code"))
    assert error.value.code == "invalid_client"


@pytest.mark.parametrize(
    ("code", "told", "text"),
    [
        ("invalid_scope", "invalid_scope", "Add it on the application's card"),
        ("insufficient_scope", "insufficient_scope", "Add it on the application's card"),
        ("invalid_request", "invalid_request", "Check client_id"),
        ("PAYMENT_REQUIRED", "PAYMENT_REQUIRED", "Renew it in the portal"),
        ("SOMETHING_NEW", "SOMETHING_NEW", "Try again later"),
        ("secret-canary refused", "unknown", "Try again later"),
        (["secret-canary"], "unknown", "Try again later"),
    ],
)
async def test_every_refusal_says_what_to_do(
    portal: LoginPortal, clock: Clock, code: object, told: str, text: str
) -> None:
    transport = answering(400, json.dumps({"error": code, "error_description": "secret-canary"}))
    with pytest.raises(AuthorisationError, match=text) as error:
        await client(clock, transport).refresh(portal.application(), Secret("refresh"))
    assert error.value.code == told
    assert error.value.advice == (() if code == "PAYMENT_REQUIRED" else (LOGIN,))
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    ("transport", "text"),
    [
        (answering(502, "<html>secret-canary</html>"), r"HTTP 502 .*\(not JSON\)"),
        (answering(200, "[]"), "not a JSON object"),
        (answering(200, '{"access_token": "secret-canary"}'), "refresh_token is missing"),
        (answering(302, "", {"location": "https://evil.example/?secret-canary"}), "a redirect"),
    ],
    ids=["a page", "an array", "half a token", "a redirect"],
)
async def test_what_is_no_answer_of_oauth_is_told_without_its_text(
    portal: LoginPortal, clock: Clock, transport: httpx.MockTransport, text: str
) -> None:
    with pytest.raises(UnexpectedAnswerError, match=text) as error:
        await client(clock, transport).refresh(portal.application(), Secret("refresh"))
    assert "canary" not in str(error.value)


async def test_a_broken_connection_is_told_without_the_address(portal: LoginPortal, clock: Clock) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"cut at {request.url}")

    with pytest.raises(UnreachableError, match=r"\(ReadError\)") as error:
        await client(clock, httpx.MockTransport(cut)).refresh(portal.application(), Secret("refresh-canary"))
    assert error.value.__cause__ is None
    assert "canary" not in str(error.value)
    assert not error.value.may_have_happened


async def test_nothing_that_is_logged_holds_a_secret(
    portal: LoginPortal, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(portal.app) as host:
        grant = portal.grant(clock(), f"http://{host}")
        renewed = await client(clock).refresh(grant.application, grant.token.refresh_token)
        with pytest.raises(BiMcpError):
            await client(clock).exchange(grant.application, Secret("code-canary"))
    assert "/oauth/token/?•••" in caplog.text
    secrets = [
        grant.application.client_secret,
        grant.token.refresh_token,
        renewed.refresh_token,
        renewed.access_token,
    ]
    for secret in [*secrets, Secret("code-canary")]:
        assert secret.reveal() not in caplog.text


async def test_plain_http_never_goes_through_a_proxy_of_the_environment(
    portal: LoginPortal, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with served(portal.app) as host:
        # Nothing listens there: a client that took the proxy would fail.
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        grant = portal.grant(clock(), f"http://{host}")
        renewed = await client(clock).refresh(grant.application, grant.token.refresh_token)
    assert portal.accepts(renewed.access_token)
