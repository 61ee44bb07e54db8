"""The account page: who sees it, for how long, and what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request

from bi_mcp.app.sign_in.attempts import Attempts
from bi_mcp.app.sign_in.document_folder import DocumentFolder
from bi_mcp.auth.person import Person
from bi_mcp.server.http.sign_in.browser_session import SESSION_LIFETIME_S, BrowserSessions
from tests.app.sign_in.stores import Clock
from tests.server.http.sign_in.browsing import Browser, Page
from tests.server.http.sign_in.hosting import ANNA, BORIS, Hosted, agree, allow, hosting

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hosted(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Hosted]:
    async with hosting(tmp_path) as hosted:
        yield hosted


async def account(hosted: Hosted, browser: Browser) -> Page:
    """The account page, which Anna signs in to."""
    page = await browser.open(f"{hosted.origin}/account")
    assert "Sign in with Bitrix24" in page.words
    page = await allow(browser, await browser.press(page, "Continue to Bitrix24"), ANNA)
    assert (page.status, page.address) == (200, f"{hosted.origin}/account")
    return page


async def test_a_person_sees_and_disconnects_their_clients(hosted: Hosted) -> None:
    first = await hosted.connect(ANNA, name="First <editor>", rights="read")
    second = await hosted.connect(ANNA, name="Second")
    foreign = await hosted.connect(BORIS, name="Foreign")
    browser = hosted.browser()
    page = await account(hosted, browser)
    assert page.words.index("Second Reads and changes") < page.words.index("First <editor> Reads;")
    assert "Foreign" not in page.words
    page = await browser.press(page, "Disconnect")
    assert "Second" not in page.words
    assert (await second.client.greet(second.access)).status_code == 401
    assert (await first.client.greet(first.access)).status_code == 200
    await hosted.connect(ANNA, name="Third")
    page = await browser.press(await browser.open(page.address), "Disconnect all")
    assert "None so far." in page.words
    assert (await first.client.greet(first.access)).status_code == 401
    assert (await foreign.client.greet(foreign.access)).status_code == 200
    logins = await hosted.sign_ins[0].documents.names("logins/")
    assert len(logins) == 1


async def test_nobody_disconnects_the_client_of_another(hosted: Hosted) -> None:
    foreign = await hosted.connect(BORIS)
    await hosted.connect(ANNA)
    browser = hosted.browser()
    page = await account(hosted, browser)
    everybodys = await hosted.sign_ins[0].clients.everybodys()
    his = next(client.id for client in everybodys if client.person.user_id == BORIS.id)
    form = page.form_with("Disconnect")
    sent = {**form.fields, "disconnect": his}
    headers = {"Origin": hosted.origin, "Sec-Fetch-Site": "same-origin"}
    assert (await browser.http.post(form.action, data=sent, headers=headers)).status_code == 303
    assert (await foreign.client.greet(foreign.access)).status_code == 200


async def test_a_look_at_the_page_keeps_no_login_of_the_portal(hosted: Hosted) -> None:
    page = await account(hosted, hosted.browser())
    assert f"None so far. To connect one, add {hosted.origin}/mcp to your assistant." in page.words
    assert await hosted.sign_ins[0].documents.names("logins/") == []


async def test_the_name_of_the_server_leads_a_person_to_the_page(hosted: Hosted) -> None:
    browser = hosted.browser()
    page = await browser.open(f"{hosted.origin}/")
    page = await allow(browser, await browser.press(page, "Continue to Bitrix24"), ANNA)
    assert page.address == f"{hosted.origin}/account"


async def test_signing_out_ends_the_session_and_not_the_clients(hosted: Hosted) -> None:
    connected = await hosted.connect(ANNA)
    browser = hosted.browser()
    page = await account(hosted, browser)
    kept = dict(browser.http.cookies)
    assert "Signed out" in (await browser.press(page, "Sign out of this page")).words
    assert "bi-mcp-session" not in browser.http.cookies
    assert "Sign in with Bitrix24" in (await browser.open(page.address)).words
    # Nor does a copy of its cookie open it again.
    browser.http.cookies.set("bi-mcp-session", kept["bi-mcp-session"], domain="127.0.0.1")
    assert "Sign in with Bitrix24" in (await browser.open(page.address)).words
    assert (await connected.client.greet(connected.access)).status_code == 200


@pytest.mark.parametrize("form_token", ["", "x", "0" * 64])
async def test_a_form_needs_its_token(hosted: Hosted, form_token: str) -> None:
    connected = await hosted.connect(ANNA)
    browser = hosted.browser()
    page = await account(hosted, browser)
    for button in ("Disconnect", "Sign out of this page"):
        assert (await browser.press(page, button, form_token=form_token)).status == 403
    assert (await connected.client.greet(connected.access)).status_code == 200
    assert "Connected programs" in (await browser.open(page.address)).words


async def test_a_session_begins_under_a_mark_of_its_own(hosted: Hosted) -> None:
    """Whoever planted a mark in the browser before does not know the one that counts."""
    browser = hosted.browser()
    planted = "x" * 43
    browser.http.cookies.set("bi-mcp-session", planted, domain="127.0.0.1")
    await account(hosted, browser)
    thief = hosted.browser()
    thief.http.cookies.set("bi-mcp-session", planted, domain="127.0.0.1")
    assert "Sign in with Bitrix24" in (await thief.open(f"{hosted.origin}/account")).words


async def test_connecting_a_client_does_not_sign_in_to_the_page(hosted: Hosted) -> None:
    client = hosted.client()
    await client.register()
    browser = hosted.browser()
    assert (await agree(browser, await browser.open(client.address()), ANNA)).left
    assert "Sign in with Bitrix24" in (await browser.open(f"{hosted.origin}/account")).words


def request_with(cookie: str, value: str) -> Request:
    headers = [(b"cookie", f"{cookie}={value}".encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


@pytest.mark.parametrize("origin", ["https://bi.example", "http://127.0.0.1:8765"])
async def test_a_session_lasts_for_half_an_hour(tmp_path: Path, origin: str) -> None:
    clock = Clock()
    documents = DocumentFolder(tmp_path, clock=clock)
    sessions = BrowserSessions(documents, Attempts(documents), origin)
    response = await sessions.redirect_to_sign_in(request_with("a", "b"), "/account")
    assert response.headers["set-cookie"].startswith(
        "__Host-bi-mcp-browser=" if origin.startswith("https") else "bi-mcp-browser="
    )
    person = Person(portal="https://acme.example", user_id=7, name="Anna Petrova", administrator=True)
    await sessions.sign_in(response, person)
    cookie = response.headers.getlist("set-cookie")[-1]
    assert ("; Secure" in cookie) == origin.startswith("https")
    assert "; HttpOnly" in cookie
    assert "; SameSite=lax" in cookie
    assert "; Path=/" in cookie
    assert "domain" not in cookie.lower()
    name, _, value = cookie.partition(";")[0].partition("=")
    assert await sessions.person_of(request_with(name, value)) == person
    clock.now += SESSION_LIFETIME_S
    assert await sessions.person_of(request_with(name, value)) is None


@pytest.mark.parametrize(
    "back",
    ["", "account", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "/\t/e"],
)
async def test_a_person_is_led_back_to_this_server_only(tmp_path: Path, back: str) -> None:
    documents = DocumentFolder(tmp_path)
    sessions = BrowserSessions(documents, Attempts(documents), "https://bi.example")
    with pytest.raises(ValueError, match="path of this server"):
        await sessions.redirect_to_sign_in(request_with("a", "b"), back)
