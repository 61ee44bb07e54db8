"""The consent page: what it shows, to whom, and which of its forms count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp.shared.auth import OAuthClientInformationFull

from tests.server.http.sign_in.browsing import Page
from tests.server.http.sign_in.flow import RETURN
from tests.server.http.sign_in.site import ACME, BETA, Site, opened

pytestmark = pytest.mark.anyio

DOCUMENT = "https://client.example/metadata.json"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Described:
    """One client with a document."""

    async def find(self, client_id: str) -> OAuthClientInformationFull | None:
        if client_id != DOCUMENT:
            return None
        return OAuthClientInformationFull(
            client_id=DOCUMENT,
            client_name="Chat",
            redirect_uris=["https://client.example/cb", "http://127.0.0.1/cb"],  # type: ignore[list-item]
            token_endpoint_auth_method="none",
        )

    async def mark_used(self, client_id: str) -> None:
        """Nothing is kept."""


@pytest.fixture(scope="module")
async def two_portals(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Site]:
    async with opened(tmp_path_factory.mktemp("site"), ACME, BETA, documented=Described()) as site:
        yield site


async def shown(site: Site, address: str) -> Page:
    return await site.browser().open(address)


async def test_the_page_says_who_asks_for_what_and_where_the_answer_goes(site: Site) -> None:
    client = await site.registered(name="My <b>editor</b>")
    page = await shown(site, client.address())
    assert page.status == 200
    assert "My <b>editor</b> This name is not verified: any program can use it." in page.words
    assert "a program on your computer 127.0.0.1:41765" in page.words
    assert "Portal acme.example" in page.words
    assert page.form_with("Continue to Bitrix24").choices == {"rights": ["read", "write"]}
    assert "rights" not in page.form_with("Continue to Bitrix24").fields


@pytest.mark.parametrize(
    ("redirect", "words"),
    [
        ("https://chat.example:8443/cb", "The answer goes to chat.example:8443"),
        (
            "cursor://anysphere.cursor-retrieval/cb",
            "the program that opens such links on your device cursor:",
        ),
        ("https://login.bitrix24.com.evil.example/cb", "The answer goes to login.bitrix24.com.evil.example"),
        (f"https://{'a.' * 60}evil.example/cb", "a.a.evil.example"),
    ],
)
async def test_the_page_names_the_destination(site: Site, redirect: str, words: str) -> None:
    client = await site.registered(redirect=redirect)
    assert words in (await shown(site, client.address())).words


@pytest.mark.parametrize(
    ("name", "appears"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('" onload="x', '" onload="x'),
        ("Claude\u202egnp.exe", "Claude gnp.exe"),
        ("\u200b\u2066\u0007", "0"),
        ("two\nlines", "two lines"),
        ("\u3164a\u2800\uffa0", "a"),
        ("Z\u0338" + "\u0352" * 40 + "o", "Z\u0338\u0352\u0352o"),
        ("x" * 100, "x" * 60 + "…"),
        ("{client} %s", "{client} %s"),
    ],
)
async def test_a_name_from_outside_stays_text(site: Site, name: str, appears: str) -> None:
    client = await site.registered(name=name)
    page = await shown(site, client.address())
    written = page.text.partition("<bdi>")[2].partition("</bdi>")[0]
    assert not set('<>"\u202e\u2066\u200b\n') & set(written)
    assert unescape(written) == (client.id if appears == "0" else appears)


async def test_a_client_that_only_wants_to_read_cannot_be_given_more(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address(scope="bi:read"))
    assert page.form_with("Continue to Bitrix24").choices == {"rights": ["read"]}
    assert "It may Read" in page.words


async def test_a_document_vouches_for_its_client(two_portals: Site) -> None:
    client = two_portals.client(redirect="https://client.example/cb")
    client.id = DOCUMENT
    page = await shown(two_portals, client.address())
    assert "Program Chat client.example says that this is its program." in page.words


async def test_a_document_does_not_vouch_for_what_listens_on_the_device(two_portals: Site) -> None:
    client = two_portals.client(redirect="http://127.0.0.1:41765/cb")
    client.id = DOCUMENT
    page = await shown(two_portals, client.address())
    assert "client.example names this program, but any program on this device can pass for it." in page.words
    assert "says that this is its program" not in page.words


async def test_several_portals_are_a_choice_without_a_default(two_portals: Site) -> None:
    client = await two_portals.registered()
    browser = two_portals.browser()
    page = await browser.open(client.address())
    form = page.form_with("Continue to Bitrix24")
    assert form.choices["portal"] == ["acme.example", "beta.example"]
    assert "portal" not in form.fields
    assert "Beta & Sons beta.example" in page.words
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).status == 400
    assert (
        await browser.press(page, "Continue to Bitrix24", rights="read", portal="evil.example")
    ).status == 400
    gone = await browser.press(page, "Continue to Bitrix24", rights="read", portal="beta.example")
    assert urlsplit(gone.address).netloc == "beta.example"
    assert set(gone.answer) == {"client_id", "state"}
    assert gone.answer["client_id"] == BETA.client_id


@pytest.mark.parametrize("scope", ["bi:read", "bi:read bi:write"])
async def test_one_click_does_not_agree(site: Site, scope: str) -> None:
    """A page that is double-clicked can put the consent page under the second click."""
    client = await site.registered(redirect="https://evil.example/cb")
    browser = site.browser()
    page = await browser.open(client.address(scope=scope))
    form = page.form_with("Continue to Bitrix24")
    assert set(form.fields) == {"form_token"}
    assert page.text.count(" required>") == len(form.choices["rights"])
    refused = await browser.press(page, "Continue to Bitrix24")
    assert (refused.status, "choose what the program may do" in refused.words) == (400, True)
    # The page is still there for the person.
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).left


async def test_a_cancelled_sign_in_is_told_to_the_client(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address())
    ended = await browser.press(page, "Cancel")
    assert ended.address.startswith(f"{RETURN}?")
    assert ended.answer["error"] == "access_denied"
    assert (ended.answer["state"], ended.answer["iss"]) == (client.state, site.origin)
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).status == 400
    assert (await browser.open(page.address)).status == 400


async def test_consent_is_given_once(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address())
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).left
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).status == 400
    assert (await browser.press(page, "Cancel")).status == 400


async def test_the_page_is_not_framed_kept_or_scripted(site: Site) -> None:
    client = await site.registered()
    page = await shown(site, client.address())
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    # A browser names no origin for a form of a page that has no referrer.
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<script" not in page.text


async def test_another_browser_sees_and_does_nothing(site: Site) -> None:
    client = await site.registered()
    own, other = site.browser(), site.browser()
    page = await own.open(client.address())
    assert (await other.open(page.address)).status == 403
    # Not even one in which a sign-in of its own is under way.
    await other.open(client.address())
    seen = await other.open(page.address)
    assert seen.status == 403
    assert "Hand-made" not in seen.text
    assert (await other.press(page, "Continue to Bitrix24", rights="read")).status == 403
    assert (await own.press(page, "Continue to Bitrix24", rights="read")).left


FOREIGN_FORMS: dict[str, dict[str, str]] = {
    "no origin": {"Origin": ""},
    "null": {"Origin": "null"},
    "foreign": {"Origin": "https://evil.example"},
    "same name, other port": {"Origin": "http://127.0.0.1:1"},
    "other name of this machine": {"Origin": "http://localhost"},
    "same site": {"Sec-Fetch-Site": "same-site"},
    "cross site": {"Sec-Fetch-Site": "cross-site"},
    "typed in": {"Sec-Fetch-Site": "none"},
    "JSON": {"Content-Type": "application/json"},
    "plain text": {"Content-Type": "text/plain"},
}


@pytest.mark.parametrize("headers", FOREIGN_FORMS.values(), ids=FOREIGN_FORMS)
async def test_a_form_from_elsewhere_counts_for_nothing(site: Site, headers: dict[str, str]) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address())
    form = page.form_with("Continue to Bitrix24")
    own = {"Origin": site.origin, "Sec-Fetch-Site": "same-origin", **FORM}
    sent = {name: value for name, value in {**own, **headers}.items() if value}
    body = str(httpx2.QueryParams({**form.fields, "decision": "continue"}))
    answer = await browser.http.post(form.action, content=body, headers=sent)
    assert answer.status_code == 403
    assert (await browser.press(page, "Continue to Bitrix24", rights="read")).left


@pytest.mark.parametrize("token", ["", "x", "0" * 64], ids=["none", "short", "another"])
async def test_a_form_needs_its_token(site: Site, token: str) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address())
    answer = await browser.press(page, "Continue to Bitrix24", rights="read", form_token=token)
    assert answer.status == 403


async def test_the_token_of_one_sign_in_does_not_open_another(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    first, second = await browser.open(client.address()), await browser.open(client.address())
    token = first.form_with("Cancel").fields["form_token"]
    assert (
        await browser.press(second, "Continue to Bitrix24", rights="read", form_token=token)
    ).status == 403


async def test_a_repeated_field_is_refused(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    page = await browser.open(client.address())
    form = page.form_with("Continue to Bitrix24")
    body = str(httpx2.QueryParams([*form.fields.items(), ("decision", "cancel"), ("decision", "continue")]))
    headers = {"Origin": site.origin, **FORM}
    assert (await browser.http.post(form.action, content=body, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "query", ["", "code=1&state=x", "code=1&state=", "state=x&state=y&code=1", "error=x"]
)
async def test_a_return_without_a_sign_in_does_nothing(site: Site, query: str) -> None:
    answer = await site.http.get(f"{site.origin}/sign-in/return?{query}")
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_return_in_another_browser_leaves_the_sign_in_to_its_own(site: Site) -> None:
    client = await site.registered()
    own, other = site.browser(), site.browser()
    gone = await own.press(await own.open(client.address()), "Continue to Bitrix24", rights="read")
    returned = f"{site.origin}/sign-in/return?{httpx2.QueryParams(state=gone.answer['state'], error='x')}"
    assert (await other.open(returned)).status == 403
    # The portal said no, so the client hears it; the state was still good.
    assert (await own.open(returned)).answer["error"] == "access_denied"
    assert (await own.open(returned)).status == 400


async def test_an_answer_of_another_portal_is_refused(site: Site) -> None:
    client = await site.registered()
    browser = site.browser()
    gone = await browser.press(await browser.open(client.address()), "Continue to Bitrix24", rights="read")
    brought = httpx2.QueryParams(state=gone.answer["state"], code="1", server_domain="oauth.evil.example")
    page = await browser.open(f"{site.origin}/sign-in/return?{brought}")
    assert page.status == 403
    assert "names an OAuth server that is not Bitrix24's" in page.words
    back = unescape(page.text.partition('<a href="')[2].partition('"')[0])
    assert parse_qs(urlsplit(back).query)["error"] == ["access_denied"]
