from __future__ import annotations

import json
import math

import pytest

from bi_mcp.auth.token import Application, Grant, grant_from_json, grant_to_json, parse_token
from bi_mcp.base.secret import Secret

ANSWER = {
    "access_token": "access-canary",
    "refresh_token": "refresh-canary",
    "expires": 1,
    "expires_in": 3600,
    "client_endpoint": "https://acme.bitrix24.com/rest/",
    "server_endpoint": "https://oauth.bitrix24.tech/rest/",
    "domain": "oauth.bitrix24.tech",
    "member_id": "a1b2",
    "scope": "biconnector,user",
    "status": "L",
    "user_id": 7,
}


def test_an_answer_of_the_oauth_server_is_read_whole() -> None:
    token = parse_token(ANSWER, 1000)
    assert (token.access_token, token.refresh_token) == (Secret("access-canary"), Secret("refresh-canary"))
    assert token.scope == ("biconnector", "user")
    assert (token.member_id, token.user_id, token.domain) == ("a1b2", 7, "oauth.bitrix24.tech")
    assert token.client_endpoint == "https://acme.bitrix24.com/rest/"


def test_the_expiry_counts_from_our_own_clock_and_not_from_the_servers() -> None:
    token = parse_token(ANSWER, 1000)
    assert token.expires_at == 4600
    assert not token.is_expired(4599.9)
    assert token.is_expired(4600)


@pytest.mark.parametrize(
    "lifetime", [None, 0, -5, "soon", 1_800_000_000, math.nan, math.inf, [], True, 10**400]
)
def test_a_lifetime_that_is_none_becomes_an_hour(lifetime: object) -> None:
    expected = 1001 if lifetime is True else 4600
    assert parse_token(ANSWER | {"expires_in": lifetime}, 1000).expires_at == expected


def test_numbers_may_come_as_text_and_the_rest_may_be_missing() -> None:
    token = parse_token({"access_token": "a", "refresh_token": "r", "expires_in": "60", "user_id": "7"}, 0)
    assert (token.expires_at, token.user_id, token.scope, token.domain) == (60, 7, (), "")


@pytest.mark.parametrize("missing", ["access_token", "refresh_token"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_an_answer_without_a_token_is_refused_by_name(missing: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{missing} is missing$"):
        parse_token(ANSWER | {missing: value}, 0)


def test_a_grant_comes_back_from_its_stored_form() -> None:
    grant = Grant(
        Application("local.1", Secret("secret-canary"), "https://oauth.bitrix24.tech"),
        parse_token(ANSWER, 0.5),
    )
    assert grant_from_json(json.loads(json.dumps(grant_to_json(grant)))) == grant


@pytest.mark.parametrize("stored", [{}, {"application": {}, "token": {}}, {"application": 1, "token": None}])
def test_what_is_no_grant_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"missing|no grant"):
        grant_from_json(stored)


def test_printing_shows_no_secret() -> None:
    grant = Grant(Application("local.1", Secret("secret-canary"), "https://o"), parse_token(ANSWER, 0))
    assert "canary" not in repr(grant)
