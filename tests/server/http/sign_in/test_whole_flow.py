"""The whole of signing in, in a real browser, with the practice portal as Bitrix24."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, Route, async_playwright, expect

from tests.auth.test_browser import ARGUMENTS
from tests.server.http.serving import client as mcp_client
from tests.server.http.sign_in.flow import RETURN, HandMadeClient
from tests.server.http.sign_in.hosting import ANNA, BORIS, Hosted
from tests.server.talking import Talk

pytestmark = [
    pytest.mark.campaign("pages in a real browser"),
    pytest.mark.anyio,
    pytest.mark.needs("chromium"),
]

# A choice is named by its title and what it means.
RIGHTS = {"Read": re.compile("^Read(?! and change)"), "Read and change": re.compile("^Read and change")}


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    """A person's browser. Where a client listens is answered here, so that the last address stays in the address bar."""

    async def arrive(route: Route) -> None:
        await route.fulfill(body="<h1>Back in the client</h1>", content_type="text/html")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = await browser.new_context(locale="en-US")
        await context.route(f"{RETURN}*", arrive)
        yield context
        await browser.close()


async def connect(page: Page, client: HandMadeClient, name: str | None, rights: str) -> dict[str, str]:
    """Click from the client's address to the client, and return what the browser brought it. `name`: log in as them."""
    await page.goto(client.address())
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connect a program to Bitrix24")
    await page.get_by_role("radio", name=RIGHTS[rights]).check()
    await page.get_by_role("button", name="Continue to Bitrix24").click()
    if name is not None:
        await page.get_by_role("button", name=name).click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading")).to_have_text("Back in the client")
    assert page.url.startswith(f"{RETURN}?")
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


async def test_a_person_connects_a_client_and_disconnects_it(hosted: Hosted, context: BrowserContext) -> None:
    client = hosted.client(name="Editor of the tests")
    await client.register()
    page = await context.new_page()
    await page.goto(client.address())
    for said in ("Editor of the tests", "not verified", "a program on your computer", hosted.portal.host):
        await expect(page.get_by_role("main")).to_contain_text(said)
    answer = await connect(page, client, "Anna Petrova", "Read and change")
    assert (answer["state"], answer["iss"]) == (client.state, hosted.origin)
    tokens = (await client.exchange(answer["code"])).json()
    assert tokens["scope"] == "bi:read bi:write"
    async with mcp_client(hosted.host, tokens["access_token"]) as connected:
        talk = Talk(connected)
        assert await talk.add_connector("Anna's") == 1
        assert "Anna Petrova" in str(await talk.done("portal_status"))

    await page.goto(f"{hosted.origin}/account")
    await page.get_by_role("button", name="Continue to Bitrix24").click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connected programs")
    await expect(page.get_by_role("main")).to_contain_text("Anna Petrova")
    await expect(page.get_by_role("heading", level=2)).to_have_text("Editor of the tests")
    await page.get_by_role("button", name="Disconnect").click()
    await expect(page.get_by_role("main")).to_contain_text("None so far.")
    assert (await client.greet(tokens["access_token"])).status_code == 401
    assert (await client.refresh(tokens["refresh_token"])).status_code == 400
    await page.get_by_role("button", name="Sign out of this page").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
    await page.goto(f"{hosted.origin}/account")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with Bitrix24")


async def test_consent_is_asked_every_time(hosted: Hosted, context: BrowserContext) -> None:
    """The same client, browser and portal: only who is logged in there is remembered, by the portal."""
    client = hosted.client()
    await client.register()
    page = await context.new_page()
    first = await connect(page, client, "Boris Volkov", "Read and change")
    second = await connect(page, client, None, "Read")
    assert first["code"] != second["code"]
    for answer, scope in ((first, "bi:read bi:write"), (second, "bi:read")):
        assert (await client.exchange(answer["code"])).json()["scope"] == scope


async def test_a_person_who_changes_their_mind_is_told_of_to_the_client(
    hosted: Hosted, context: BrowserContext
) -> None:
    client = hosted.client()
    await client.register()
    page = await context.new_page()
    await page.goto(client.address())
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading")).to_have_text("Back in the client")
    answer = parse_qs(urlsplit(page.url).query)
    assert answer["error"] == ["access_denied"]
    assert (answer["state"], answer["iss"]) == ([client.state], [hosted.origin])


async def test_two_people_in_two_browsers_are_two_people(hosted: Hosted, context: BrowserContext) -> None:
    """Anna in Chromium, Boris elsewhere; each sees what is their own."""
    client = hosted.client()
    await client.register()
    answer = await connect(await context.new_page(), client, "Anna Petrova", "Read and change")
    anna = (await client.exchange(answer["code"])).json()["access_token"]
    boris = (await hosted.connect(BORIS)).access
    async with mcp_client(hosted.host, anna) as hers, mcp_client(hosted.host, boris) as his:
        await Talk(hers).add_connector("Anna's")
        await Talk(his).add_connector("Boris's")
        assert "Boris" not in str(await Talk(hers).done("connector_list"))
        assert "Anna" not in str(await Talk(his).done("connector_list"))
    assert {person.user_id for person in await hosted.sign_ins[0].clients.people()} == {ANNA.id, BORIS.id}


async def test_the_pages_are_readable_on_a_phone_and_by_keyboard(
    hosted: Hosted, context: BrowserContext
) -> None:
    client = hosted.client(name="W" * 60)
    await client.register()
    page = await context.new_page()
    await page.set_viewport_size({"width": 320, "height": 640})
    await page.goto(client.address())
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    # Without the mouse: to the choice, to the button, and on.
    await page.get_by_role("radio").first.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name=RIGHTS["Read and change"])).to_be_checked()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("Log in")
