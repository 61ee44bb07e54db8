"""The whole login in a real browser: the portal's page, the click of a person, and the way back to this machine."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from bi_mcp.auth.login import handler_address
from bi_mcp.auth.profiles import load_profiles
from bi_mcp.auth.session import open_session
from bi_mcp.rest import AccessToken
from tests.auth.command import SECRET, Command, command, free_port
from tests.auth.portal import LoginPortal
from tests.practice.portal.serving import served

pytestmark = [
    pytest.mark.campaign("pages in a real browser"),
    pytest.mark.anyio,
    pytest.mark.needs("chromium"),
]

# The system's browser, which asks nobody but the pages that a test opens.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield await browser.new_page()
        await browser.close()


@asynccontextmanager
async def logging_in(portal: LoginPortal, home: Path) -> AsyncIterator[tuple[Command, str]]:
    """A login that waits for the browser, and its handler address."""
    handler = handler_address(port := free_port())
    card = portal.tokens.register("BI assistant", handler)
    options = ["--client-id", card.client_id, "--client-secret-env", SECRET, "--keep-in", "file"]
    options += ["--no-browser", "--port", str(port), "--name", "acme"]
    async with (
        served(portal.app) as host,
        command(home, "login", f"http://{host}", *options, secret=card.client_secret) as login,
    ):
        yield login, handler


async def test_a_person_logs_in_by_one_click(portal: LoginPortal, page: Page, tmp_path: Path) -> None:
    async with logging_in(portal, tmp_path) as (login, handler):
        await page.goto(await login.address_to_open())
        await expect(page.get_by_role("heading")).to_have_text("Allow “BI assistant” to use this portal?")
        await expect(page.get_by_text("biconnector", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading")).to_have_text("Back to the terminal")
        assert page.url.startswith(handler)
        assert await login.end() == 0
    assert "It sees 0 connectors, 0 sources, 0 datasets." in login.output
    used = load_profiles(tmp_path / "config").choose("acme")
    credential = await open_session(used, tmp_path / "config").current()
    assert isinstance(credential, AccessToken)
    assert portal.accepts(credential.token)


async def test_a_person_who_says_no_may_think_again(portal: LoginPortal, page: Page, tmp_path: Path) -> None:
    async with logging_in(portal, tmp_path) as (login, _):
        address = await login.address_to_open()
        await page.goto(address)
        await page.get_by_role("button", name="Deny").click()
        await expect(page.get_by_role("heading")).to_have_text("Access was not granted")
        await page.goto(address)
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading")).to_have_text("Back to the terminal")
        assert await login.end() == 0


async def test_a_page_of_another_login_is_told_and_does_not_end_this_one(
    portal: LoginPortal, page: Page, tmp_path: Path
) -> None:
    async with logging_in(portal, tmp_path) as (login, _):
        address = await login.address_to_open()
        await page.goto(f"{address}x")
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading")).to_have_text("Not this login")
        await page.goto(address)
        await page.get_by_role("button", name="Allow").click()
        assert await login.end() == 0
