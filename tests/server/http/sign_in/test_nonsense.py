"""Whatever is sent to the endpoints, they answer in words."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.http.sign_in.site import Site

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_NAMES = [
    "grant_type", "code", "code_verifier", "redirect_uri", "refresh_token", "scope", "resource", "client_id", "client_secret",
    "token", "token_type_hint", "response_type", "code_challenge", "code_challenge_method", "state", "request",
]  # fmt: skip
_KNOWN = st.sampled_from(
    [
        "", "authorization_code", "refresh_token", "code", "S256", "bi:read", "bi:read bi:write", "a" * 43, "https://a.example/cb",
        "http://127.0.0.1:1/cb", "http://[", "access_token", "\x00", "\ud7ff", "https://client.example/metadata",
    ]
)  # fmt: skip
_FIELDS = st.lists(st.tuples(st.sampled_from(_NAMES), _KNOWN | st.text(max_size=20)), max_size=8)
_BASIC = st.sampled_from(["", "Basic", "Basic Og==", "Basic //8=", "Bearer x", "basic YTpi", "Basic YQ=="])


@pytest.fixture(scope="module")
async def known(site: Site) -> str:
    """The id of a registered client."""
    return (await site.registered()).id


@settings(deadline=None, max_examples=150)
@given(
    fields=_FIELDS,
    path=st.sampled_from(["/token", "/revoke", "/authorize", "/register"]),
    authorization=_BASIC,
)
async def test_nonsense_is_refused_in_words(
    site: Site, known: str, fields: list[tuple[str, str]], path: str, authorization: str
) -> None:
    sent = [*fields, ("client_id", known)] if "client_id" not in dict(fields) else fields
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in sent)
    headers = FORM | ({"Authorization": authorization} if authorization else {})
    answer = await site.http.post(f"{site.origin}{path}", content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    if path in ("/token", "/register"):
        assert set(answer.json()) == {"error", "error_description"}
        assert answer.json()["error_description"].isascii()
