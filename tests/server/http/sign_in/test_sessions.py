"""Sessions of the older protocols: how many one person may open, and what a client of fewer rights can do in one."""

from __future__ import annotations

import httpx2
import pytest

from tests.server.http.serving import HELLO, client, http_client
from tests.server.http.sign_in.hosting import ANNA, BORIS, Connected, Hosted, agree

pytestmark = pytest.mark.anyio

VERSION = {"Mcp-Protocol-Version": "2025-11-25"}


async def call(http: httpx2.AsyncClient, session: str, tool: str) -> str:
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    answer = await http.post("/mcp", json=body, headers={"Mcp-Session-Id": session, **VERSION})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_one_person_cannot_take_all_sessions(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bi_mcp.server.http.sign_in.sessions.MOST_SESSIONS_PER_PERSON", 2)
    hers, his = await hosted.connect(ANNA), await hosted.connect(BORIS)
    async with http_client(hosted.host, hers.access) as anna, http_client(hosted.host, his.access) as boris:
        first, second = [await anna.post("/mcp", json=HELLO) for _ in range(2)]
        third = await anna.post("/mcp", json=HELLO)
        assert (third.status_code, "2 sessions open" in third.text) == (429, True)
        assert (await boris.post("/mcp", json=HELLO)).status_code == 200
        # What is open goes on, and the newest protocol needs no session.
        assert "bi" in await call(anna, second.headers["mcp-session-id"], "portal_status")
        async with client(hosted.host, hers.access) as newest:
            assert (await newest.list_tools()).tools
        session = {"Mcp-Session-Id": first.headers["mcp-session-id"], **VERSION}
        assert (await anna.delete("/mcp", headers=session)).status_code == 200
        assert (await anna.post("/mcp", json=HELLO)).status_code == 200


async def test_a_session_grants_what_the_token_of_each_request_grants(hosted: Hosted) -> None:
    writer = await hosted.connect(ANNA)
    # The same program, which she connects once more, to read only.
    browser = hosted.browser()
    ended = await agree(browser, await browser.open(writer.client.address()), ANNA, rights="read")
    tokens = (await writer.client.exchange(ended.answer["code"])).json()
    reader = Connected(writer.client, browser, tokens)
    assert reader.tokens["scope"] == "bi:read"
    async with (
        http_client(hosted.host, writer.access) as writing,
        http_client(hosted.host, reader.access) as reading,
    ):
        opened = (await writing.post("/mcp", json=HELLO)).headers["mcp-session-id"]
        assert "lacks the scope bi:write" in await call(reading, opened, "connector_add")
        assert "lacks the scope" not in await call(writing, opened, "connector_add")
        opened = (await reading.post("/mcp", json=HELLO)).headers["mcp-session-id"]
        assert "lacks the scope" not in await call(writing, opened, "connector_add")
        assert "lacks the scope bi:write" in await call(reading, opened, "connector_add")
