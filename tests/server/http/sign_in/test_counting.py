"""What people do is counted by portal, from the sign-in to the request, and told by the health route."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.http.serving import client as mcp_client
from tests.server.http.sign_in.hosting import ANNA, hosting
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio


async def test_a_sign_in_its_calls_and_a_refused_token_are_counted(tmp_path: Path) -> None:
    async with hosting(tmp_path) as hosted, hosted.http() as http:
        host, counts = hosted.portal.host, hosted.sign_ins[0].counts

        async def health() -> object:
            return (await http.get(f"{hosted.origin}/health")).json()["portals"]

        assert await health() == {host: "not asked yet"}
        anna = await hosted.connect(ANNA)
        assert counts.of(host).sign_ins == {"signed in": 1}
        async with mcp_client(hosted.host, anna.access) as connected:
            await Talk(connected).done("connector_list")
        assert await health() == {host: "ok"}
        assert counts.of(host).traffic.requests == {"ok": 1}
        assert counts.of(host).callers(counts.clock()) == 1
        refused = await anna.client.greet(f"{anna.access}x")
        assert (refused.status_code, counts.refused_tokens) == (401, 1)
        browser, client = hosted.browser(), hosted.client()
        await client.register()
        await browser.press(await browser.open(client.address()), "Cancel")
        assert counts.of(host).sign_ins == {"signed in": 1, "cancelled": 1}
        # Only the operator's token opens the metrics, and none was set.
        assert (await http.get(f"{hosted.origin}/metrics")).status_code in {401, 404}
