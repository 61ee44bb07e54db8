"""The shortest way to try signing in at home: two commands, of which the first prints the second."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.auth.command import free_port
from tests.server.http.processes import serving
from tests.server.http.serving import LIMIT_S, http_client
from tests.server.http.serving import client as mcp_client
from tests.server.http.sign_in.browsing import Browser
from tests.server.http.sign_in.flow import HandMadeClient
from tests.server.http.sign_in.hosting import ANNA, agree
from tests.server.processes import environment
from tests.server.talking import Talk

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("servers for a team, as processes")]

PRINTED = re.compile(r"BI_MCP_SIGN_IN_CLIENT_ID=(\S+) BI_MCP_SIGN_IN_CLIENT_SECRET=(\S+) bi-mcp (serve .+)")


async def test_a_newcomer_signs_in_with_two_commands(tmp_path: Path) -> None:
    port, portal_port = free_port(), free_port()
    command = [sys.executable, "-u", "-m", "bi_mcp", "portal", "--port", str(portal_port)]
    command += ["--user", "7:Anna Petrova:read", "--user", "8:Boris", "--sign-in"]
    command += [f"http://127.0.0.1:{port}/sign-in/return"]
    with anyio.fail_after(LIMIT_S):
        async with await anyio.open_process(
            command, env=environment(tmp_path, BI_MCP_PORTAL_DB=":memory:"), cwd=tmp_path
        ) as portal:
            try:
                assert portal.stdout is not None
                lines = BufferedByteReceiveStream(portal.stdout)
                while not (found := PRINTED.search((await lines.receive_until(b"\n", 10_000)).decode())):
                    pass
                arguments = found[3].split()[2:]
                variables = {
                    "BI_MCP_SIGN_IN_CLIENT_ID": found[1],
                    "BI_MCP_SIGN_IN_CLIENT_SECRET": found[2],
                    "BI_MCP_CONFIG_DIR": str(tmp_path / "config"),
                }
                # The last --port counts.
                async with serving(tmp_path, *arguments, "--port", str(port), **variables) as server:
                    await sign_in_and_look(server.address, f"127.0.0.1:{portal_port}")
            finally:
                portal.kill()


async def sign_in_and_look(address: str, portal: str) -> None:
    async with http_client(address) as http:
        client = HandMadeClient(f"http://{address}", http)
        await client.register()
        browser = Browser([address, portal])
        ended = await agree(browser, await browser.open(client.address()), ANNA)
        await browser.aclose()
        token = (await client.exchange(ended.answer["code"])).json()["access_token"]
    async with mcp_client(address, token) as connected:
        status = str(await Talk(connected).done("portal_status"))
        assert "Anna Petrova" in status
        # Her right to read is the portal's to know.
        assert "ACCESS_DENIED" in await Talk(connected).refused("connector_add", fields=FIELDS)


FIELDS = {
    "title": "Not hers to make",
    "logo": "https://example.com/logo.png",
    "settings": [],
    **dict.fromkeys(("urlCheck", "urlData", "urlTableList", "urlTableDescription"), "https://example.com/"),
}
