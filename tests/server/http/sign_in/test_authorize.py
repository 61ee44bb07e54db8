"""The authorization endpoint: what begins a sign-in, and what is refused, where."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.server.http.sign_in.flow import RETURN, HandMadeClient
from tests.server.http.sign_in.site import Site, opened

pytestmark = pytest.mark.anyio

OTHER_PORT = RETURN.replace("41765", "41766")


def parameters_of(answer: httpx2.Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(answer.headers["location"]).query, strict_parsing=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"resource": None},
        {"state": None},
        {"scope": None},
        {"scope": "bi:read offline_access"},
        {"redirect_uri": None},
        {"redirect_uri": OTHER_PORT},
        {"response_mode": "query"},
        {"prompt": "none"},
        {"extension": "unknown parameters are left alone"},
    ],
    ids=str,
)
async def test_a_valid_request_leads_to_the_consent_page(site: Site, changes: dict[str, str | None]) -> None:
    client = await site.registered()
    answer = await site.http.get(client.address(**changes))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in/")
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/", "max-age=900"))


async def test_a_request_may_be_posted(site: Site) -> None:
    client = await site.registered()
    address, _, query = client.address().partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.http.post(address, content=query, headers=form)
    assert answer.headers["location"].startswith("/sign-in/")


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response_type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code token"}, "unsupported_response_type"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "form_post": ({"response_mode": "form_post"}, "invalid_request"),
    "request object": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "request_uri": ({"request_uri": "https://evil.example/1"}, "request_uri_not_supported"),
    "no PKCE": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "empty challenge": ({"code_challenge": ""}, "invalid_request"),
    "PKCE without a method is plain": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "lower case": ({"code_challenge_method": "s256"}, "invalid_request"),
    "short challenge": ({"code_challenge": "a" * 42}, "invalid_request"),
    "long challenge": ({"code_challenge": "a" * 44}, "invalid_request"),
    "padded challenge": ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
    "foreign resource": ({"resource": "https://other.example/mcp"}, "invalid_target"),
    "resource of the origin": ({"resource": "http://127.0.0.1"}, "invalid_target"),
    "foreign scope": ({"scope": "admin"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED)
async def test_the_client_is_told_what_is_wrong(
    site: Site, changes: dict[str, str | None], error: str
) -> None:
    client = await site.registered()
    answer = await site.http.get(client.address(**changes))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{RETURN}?")
    told = parameters_of(answer)
    assert told.pop("error_description")
    assert told == {"error": [error], "state": [client.state], "iss": [site.origin]}


@pytest.mark.parametrize(
    ("redirect", "way_back"),
    [
        ("https://evil.example/cb", "Back to evil.example"),
        # Once the person let this server open a program, browsers do not ask again.
        ("editor://install/extension?from=evil.example", "Back to editor:"),
    ],
)
async def test_no_link_leads_through_this_server_to_a_site_or_another_program_at_once(
    site: Site, redirect: str, way_back: str
) -> None:
    client = await site.registered(redirect=redirect)
    answer = await site.http.get(client.address(scope="admin"))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert way_back in answer.text
    back = unescape(answer.text.partition('<a href="')[2].partition('"')[0])
    told = parse_qs(urlsplit(back).query)
    assert (told["error"], told["iss"], told["state"]) == (["invalid_scope"], [site.origin], [client.state])


async def test_a_state_that_is_too_long_is_not_sent_back(site: Site) -> None:
    client = await site.registered()
    told = parameters_of(await site.http.get(client.address(state="x" * 4097)))
    assert told["error"] == ["invalid_request"]
    assert "state" not in told


UNTOLD: dict[str, dict[str, str | None]] = {
    "unknown client": {"client_id": "00000000-0000-0000-0000-000000000000"},
    "no client": {"client_id": None},
    "client of a document": {"client_id": "https://client.example/metadata.json"},
    "name of a document of the store": {"client_id": "../slots/attempt/1"},
    "overlong client": {"client_id": "x" * 3000},
    "foreign address": {"redirect_uri": "https://evil.example/cb"},
    "other path": {"redirect_uri": f"{RETURN}/more"},
    "query added": {"redirect_uri": f"{RETURN}?next=https://evil.example"},
    "fragment added": {"redirect_uri": f"{RETURN}#x"},
    "other loopback name": {"redirect_uri": RETURN.replace("127.0.0.1", "localhost")},
    "login in front": {"redirect_uri": "http://127.0.0.1:41765@evil.example/callback"},
    "javascript": {"redirect_uri": "javascript:alert(1)"},
}


@pytest.mark.parametrize("changes", UNTOLD.values(), ids=UNTOLD)
async def test_nothing_is_sent_to_an_address_that_is_not_the_clients(
    site: Site, changes: dict[str, str | None]
) -> None:
    client = await site.registered()
    answer = await site.http.get(client.address(**changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "evil.example" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "state", "scope", "resource", "code_challenge", "response_type"]
)
async def test_a_repeated_parameter_is_refused(site: Site, name: str) -> None:
    client = await site.registered()
    answer = await site.http.get(f"{client.address()}&{name}=")
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "query",
    [b"client_id=%ff", b"&".join(b"a%d=1" % number for number in range(60))],
    ids=["not UTF-8", "too many"],
)
async def test_a_query_that_is_no_form_is_refused(site: Site, query: bytes) -> None:
    answer = await site.http.get(httpx2.URL(f"{site.origin}/authorize").copy_with(query=query))
    assert answer.status_code == 400


async def test_a_body_is_bounded(site: Site) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/authorize", "/token", "/revoke", "/register"):
        answer = await site.http.post(f"{site.origin}{path}", content=b"a=" + b"b" * 20_000, headers=form)
        assert answer.status_code == 413


async def test_a_client_with_several_addresses_must_name_one(site: Site) -> None:
    client = site.client()
    await client.register(redirect_uris=[RETURN, "https://client.example/cb"])
    assert (await site.http.get(client.address(redirect_uri=None))).status_code == 400


async def test_no_answer_is_sent_to_this_server_itself(site: Site) -> None:
    client = await site.registered(redirect=f"{site.origin}/sign-in/return")
    assert (await site.http.get(client.address())).status_code == 400
    assert (await site.http.get(client.address(redirect_uri=None))).status_code == 400


async def test_a_foreign_name_in_host_is_refused(site: Site) -> None:
    client = await site.registered()
    answer = await site.http.get(client.address(), headers={"Host": "evil.example"})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru", "Не получилось"),
        ("de,en;q=0.8,ru;q=0.7", "en", "This did not work"),
        ("ru;q=0", "en", "This did not work"),
        ("", "en", "This did not work"),
        ("ru;q=nonsense,,;q=", "en", "This did not work"),
    ],
)
async def test_pages_speak_the_language_of_the_browser(
    site: Site, accepted: str, language: str, title: str
) -> None:
    answer = await site.http.get(f"{site.origin}/authorize", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text


async def test_sign_ins_under_way_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bi_mcp.app.sign_in.attempts.MOST_UNDER_WAY", 2)
    async with opened(tmp_path) as site:
        client = await site.registered()
        answers = [await _begun(site, client) for _ in range(40)]
    assert answers.count("begun") == 2
    assert set(answers) == {"begun", "temporarily_unavailable"}


async def _begun(site: Site, client: HandMadeClient) -> str:
    answer = await site.http.get(client.address())
    if answer.headers["location"].startswith("/sign-in/"):
        return "begun"
    return parameters_of(answer)["error"][0]
