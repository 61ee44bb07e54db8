"""The view of `portal_map` in a real browser, inside a sandbox as a client of the Apps extension shows it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp.types import TextResourceContents
from playwright.async_api import FrameLocator, Page, async_playwright, expect

from bi_mcp.server.tools.map import VIEW
from tests.auth.test_browser import ARGUMENTS
from tests.server.talking import Talk

pytestmark = [
    pytest.mark.campaign("pages in a real browser"),
    pytest.mark.anyio,
    pytest.mark.needs("chromium"),
]

HOSTILE = '<img src=x onerror="alert(1)">'
FRAME = '<iframe sandbox="allow-scripts" style="width:700px;height:600px;border:0"></iframe>'
# The least that a client does: shake hands, name its theme, pass the result of the call on.
HOST = """([html, result, theme]) => {
  const frame = document.querySelector("iframe");
  const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  window.addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.method === "ui/initialize") send({ id: data.id, result: { hostContext: { theme } } });
    if (data.method === "ui/notifications/initialized")
      send({ method: "ui/notifications/tool-result", params: result });
  });
  frame.srcdoc = html;
}"""
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 23)"}


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield await browser.new_page()
        await browser.close()


@pytest.fixture
async def mapped(talk: Talk) -> dict[str, Any]:
    """The tool's whole result, with one finding put in: a switched-off source needs another generation of portal."""
    source = await talk.add_source(await talk.add_connector(HOSTILE))
    await talk.add_dataset(source, "own_flights")
    result = (await talk.call("portal_map")).model_dump(mode="json", by_alias=True)
    node = next(node for node in result["structuredContent"]["nodes"] if node["title"] == "own_flights")
    node |= {"level": "error", "findings": [{"level": "error", "where": "it", "what": f"Broken {HOSTILE}"}]}
    return result


async def opened(page: Page, talk: Talk, result: dict[str, Any], theme: str = "light") -> FrameLocator:
    [view] = (await talk.client.read_resource(VIEW)).contents
    assert isinstance(view, TextResourceContents)
    await page.set_content(FRAME)
    await page.evaluate(HOST, [view.text, result, theme])
    return page.frame_locator("iframe")


async def test_the_view_filters_and_opens_findings_and_keeps_titles_text(
    page: Page, talk: Talk, mapped: dict[str, Any]
) -> None:
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    view = await opened(page, talk, mapped)
    await expect(view.get_by_text(HOSTILE).first).to_be_visible()

    status = view.get_by_role("status")
    await expect(status).to_contain_text(
        "1 connector: 1 not checked; 1 source: 1 not checked; 1 dataset: 1 broken"
    )

    await view.get_by_role("searchbox").fill("own_flights")
    await expect(view.locator("#tree > li")).to_have_count(3)
    await expect(view.get_by_text(f"Broken {HOSTILE}")).to_be_hidden()
    await view.get_by_text("own_flights").click()
    await expect(view.get_by_text(f"Broken {HOSTILE}")).to_be_visible()

    assert await view.locator("img").count() == 0
    assert asked == []


@pytest.mark.parametrize("theme", GROUNDS)
async def test_the_view_takes_the_theme_of_its_host(
    page: Page, talk: Talk, mapped: dict[str, Any], theme: str
) -> None:
    view = await opened(page, talk, mapped, theme)
    await expect(view.locator("body")).to_have_css("background-color", GROUNDS[theme])


async def test_the_view_says_that_a_call_failed(page: Page, talk: Talk) -> None:
    view = await opened(page, talk, {"content": [], "isError": True})
    await expect(view.get_by_role("status")).to_contain_text("no map to show")
