"""A host of the Apps extension in a real browser: it shows a view in a sandbox, as clients do, and remembers what the view asked."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import FrameLocator, Page, async_playwright

from bi_mcp.server.views import View, read_view
from tests.auth.test_browser import ARGUMENTS

WIDE, NARROW = 1280, 320
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 23)"}
TALKATIVE: Mapping[str, Any] = {"message": {"text": {}}}

_FRAME = '<body style="margin:0"><iframe sandbox="allow-scripts" style="width:100%;height:1400px;border:0"></iframe>'
# The least that a client does: shake hands, name its theme and language, pass the result of the call on, take messages.
_HOST = """([html, result, context, capabilities, refuses]) => {
  const frame = document.querySelector("iframe");
  const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  window.asked = [];
  window.addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.method === "ui/initialize") send({ id: data.id, result: { hostCapabilities: capabilities, hostContext: context } });
    if (data.method === "ui/notifications/initialized") send({ method: "ui/notifications/tool-result", params: result });
    if (data.method === "ui/message") {
      window.asked.push(data.params);
      send({ id: data.id, result: refuses ? { isError: true } : {} });
    }
  });
  window.tell = send;
  frame.srcdoc = html;
}"""
# In the page: the least contrast between a text and the ground behind it, by the rules of WCAG.
_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => { for (let each = element; each; each = each.parentElement) { const found = rgb(getComputedStyle(each).backgroundColor); if (found[3] === 255) return found; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 99;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.tagName === "SCRIPT") continue;
    const [one, other] = [light(rgb(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    least = Math.min(least, (one + 0.05) / (other + 0.05));
  }
  return least;
}"""


@asynccontextmanager
async def a_browser_page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield await browser.new_page()
        await browser.close()


async def open_view(
    page: Page,
    view: View,
    result: Mapping[str, Any],
    *,
    theme: str = "light",
    locale: str = "en-US",
    width: int = WIDE,
    capabilities: Mapping[str, Any] = TALKATIVE,
    refuses: bool = False,
) -> FrameLocator:
    """Show a view with the result of its tool."""
    await page.set_viewport_size({"width": width, "height": 1400})
    await page.set_content(_FRAME)
    context = {"theme": theme, "locale": locale}
    await page.evaluate(_HOST, [read_view(view), result, context, capabilities, refuses])
    return page.frame_locator("iframe")


async def asked_of_host(page: Page) -> list[dict[str, Any]]:
    """The messages that the view put into the chat."""
    asked: list[dict[str, Any]] = await page.evaluate("window.asked")
    return asked


async def overflow(view: FrameLocator) -> int:
    """How many pixels the document is wider than its frame."""
    wider: int = await view.locator("html").evaluate("(root) => root.scrollWidth - root.clientWidth")
    return wider


async def least_contrast(view: FrameLocator) -> float:
    """The least contrast of any visible text."""
    least: float = await view.locator("body").evaluate(_CONTRAST)
    return least
