from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bi_mcp.auth.installation import parse_installation
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError

CALLBACK = {
    "AUTH_ID": "access-canary",
    "AUTH_EXPIRES": "3600",
    "REFRESH_ID": "refresh-canary",
    "member_id": "a1b2",
    "DOMAIN": "acme.bitrix24.com",
    "PROTOCOL": "1",
    "LANG": "en",
    "status": "L",
}
EVENT = {
    "event": "ONAPPINSTALL",
    "auth": {
        "access_token": "access-canary",
        "expires_in": 3600,
        "refresh_token": "refresh-canary",
        "member_id": "a1b2",
        "domain": "oauth.bitrix24.tech",
        "client_endpoint": "https://acme.bitrix24.com/rest/",
        "server_endpoint": "https://oauth.bitrix.info/rest/",
    },
}


@pytest.mark.parametrize(
    ("text", "oauth_host"),
    [
        (json.dumps(CALLBACK), ""),
        (json.dumps(CALLBACK, indent=1) + "\n", ""),
        (urlencode(CALLBACK) + "\n", ""),
        (json.dumps(EVENT), "oauth.bitrix.info"),
        (json.dumps(EVENT["auth"]), "oauth.bitrix.info"),
    ],
    ids=["callback", "callback on many lines", "the posted form", "event", "the event's auth"],
)
def test_what_a_portal_delivers_is_read_in_every_shape(text: str, oauth_host: str) -> None:
    installation = parse_installation(text, 1000)
    token = installation.token
    assert (token.access_token, token.refresh_token) == (Secret("access-canary"), Secret("refresh-canary"))
    assert (token.expires_at, token.member_id) == (4600, "a1b2")
    assert (installation.portal, installation.oauth_host) == ("acme.bitrix24.com", oauth_host)
    assert "canary" not in repr(installation)


def test_the_form_of_an_application_that_uses_only_the_api_is_read() -> None:
    documented = (Path(__file__).parents[1] / "vendor" / "install_callback.txt").read_text()

    installation = parse_installation(documented, 1000)

    token = installation.token
    assert (token.access_token, token.refresh_token) == (Secret("aaa"), Secret("rrr"))
    assert (token.expires_at, token.member_id) == (4600, "m")
    assert (installation.portal, installation.oauth_host) == ("portal.bitrix24.com", "oauth.bitrix.info")


@pytest.mark.parametrize("expires", ["1999999999", 1_999_999_999])
def test_an_expiry_that_is_a_moment_is_not_taken_for_a_duration(expires: object) -> None:
    assert parse_installation(json.dumps(CALLBACK | {"AUTH_EXPIRES": expires}), 1000).token.expires_at == 4600


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "neither a JSON object nor a form"),
        ("[]", "neither"),
        ("{", "neither"),
        ("access-canary", "neither"),
        ('{"AUTH_ID": "access-canary"}', r"lacks REFRESH_ID \(or refresh_token\)"),
        ("{}", "neither"),
        ('{"auth": {"a": 1}}', r"lacks AUTH_ID \(or access_token\) and REFRESH_ID"),
        ('{"AUTH_ID": ["access-canary"], "REFRESH_ID": "x"}', "access_token is missing"),
    ],
)
def test_what_is_no_delivery_is_explained_without_its_values(text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error) as refused:
        parse_installation(text, 1000)
    assert "canary" not in str(refused.value)
