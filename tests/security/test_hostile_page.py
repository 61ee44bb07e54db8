"""A page of another site in a real browser, while a server listens on loopback: it may try, and nothing happens."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client
from playwright.async_api import Page, async_playwright
from starlette.responses import HTMLResponse

from tests.auth.test_browser import ARGUMENTS
from tests.practice.portal.serving import served
from tests.server.processes import LIMIT_S, MODERN
from tests.server.talking import Talk, connector_fields
from tests.server.test_http import served_over_http

pytestmark = [
    pytest.mark.campaign("pages in a real browser"),
    pytest.mark.anyio,
    pytest.mark.needs("chromium"),
]

# Names of the attacker that lead to this machine: what remains of DNS rebinding once the name's answer has changed.
REBOUND = "rebound.example"

ACT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "connector_add", "arguments": {"fields": connector_fields()}, **MODERN},
}
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "connector_add",
}

FETCH = """async ({address, options}) => {
    try {
        const answer = await fetch(address, options);
        return {status: answer.status, type: answer.type, text: await answer.text()};
    } catch (error) {
        return {status: 0, type: "error", text: ""};
    }
}"""
FORM = """async ({address, name, value, type}) => {
    const form = document.createElement("form");
    form.method = "post"; form.action = address; form.enctype = type;
    const field = document.createElement("input");
    field.name = name; field.value = value;
    form.append(field); document.body.append(form); form.submit();
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*ARGUMENTS, rules]
        )
        yield await browser.new_page()
        await browser.close()


@asynccontextmanager
async def attacked(home: Path, page: Page) -> AsyncIterator[str]:
    """The address of the server, while the browser shows a page of another origin. Nothing may come of the visit."""
    with anyio.fail_after(LIMIT_S):
        async with served_over_http(home) as origin, served(HTMLResponse("<body>Free flights!")) as evil:
            await page.goto(f"http://{evil.replace('127.0.0.1', 'evil.example')}/")
            yield f"{origin}/mcp"
            async with Client(f"{origin}/mcp") as client:
                assert (await Talk(client).done("connector_list"))["items"] == []


async def fetched(page: Page, address: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(FETCH, {"address": address, "options": options})
    return found


async def test_the_same_request_from_this_machine_is_carried_out(tmp_path: Path) -> None:
    """Else the tests below would show nothing."""
    with anyio.fail_after(LIMIT_S):
        async with served_over_http(tmp_path) as origin, httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{origin}/mcp", content=json.dumps(ACT), headers=HEADERS)
    assert answer.json()["result"]["structuredContent"]["id"] == 1


async def test_a_page_of_another_site_can_neither_call_nor_read(tmp_path: Path, page: Page) -> None:
    async with attacked(tmp_path, page) as server:
        called = await fetched(page, server, method="POST", headers=HEADERS, body=json.dumps(ACT))
        read = await fetched(page, server, headers={"Accept": "text/event-stream"})
        ended = await fetched(page, server, method="DELETE")
        assert [called["type"], read["type"], ended["type"]] == ["error"] * 3


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
async def test_a_request_that_needs_no_permission_does_nothing(tmp_path: Path, page: Page, type: str) -> None:
    async with attacked(tmp_path, page) as server:
        blind = await fetched(
            page, server, method="POST", mode="no-cors", headers={"Content-Type": type}, body=json.dumps(ACT)
        )
        assert blind["text"] == ""


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_does_nothing(tmp_path: Path, page: Page, type: str) -> None:
    async with attacked(tmp_path, page) as server:
        # `NAME=VALUE` of a form in plain text is JSON, when the name begins it and the value ends it.
        begin, _, end = json.dumps({**ACT, "x": "?"}).rpartition("?")
        async with page.expect_navigation() as shown:
            await page.evaluate(FORM, {"address": server, "name": begin, "value": end, "type": type})
        answer = await shown.value
        assert answer is not None
        assert answer.status in {400, 403, 415, 421}


async def test_a_name_that_was_bound_to_this_machine_is_not_the_servers(tmp_path: Path, page: Page) -> None:
    async with attacked(tmp_path, page) as server:
        rebound = server.replace("127.0.0.1", REBOUND)
        shown = await page.goto(rebound)
        assert shown is not None
        assert shown.status == 421
        assert await page.evaluate("location.hostname") == REBOUND
        called = await fetched(page, rebound, method="POST", headers=HEADERS, body=json.dumps(ACT))
        assert (called["type"], called["status"]) == ("basic", 421)
