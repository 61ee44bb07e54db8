"""`bi-mcp serve --http`: the server on a port of loopback, for several clients at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client

from bi_mcp.server.tools import TOOLS
from tests.server.conftest import Era
from tests.server.http.processes import serving
from tests.server.http.serving import ACCEPT, HELLO
from tests.server.processes import COMMAND, LIMIT_S, environment
from tests.server.talking import Talk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[str]:
    async with served_over_http(tmp_path) as address:
        yield address


@asynccontextmanager
async def served_over_http(home: Path) -> AsyncIterator[str]:
    """Run the command and give its origin once it listens."""
    async with serving(home) as server:
        yield f"http://{server.address}"


async def test_a_real_client_works_over_http_in_both_eras(origin: str, era: Era) -> None:
    with anyio.fail_after(LIMIT_S):
        async with Client(f"{origin}/mcp", mode=era) as client:
            talk = Talk(client)
            assert len((await client.list_tools()).tools) == len(TOOLS)
            connector = await talk.add_connector()
            assert (await talk.done("connector_get", id=connector))["item"]["title"] == "Sample"
            assert "DELETE_RESTRICTED" not in await talk.refused("connector_get", id=connector + 1)
            assert "urlCheck" in await talk.read("bi://connector/fields")
            prompt = await client.get_prompt("onboard", {"goal": "sales"})
            assert len(prompt.messages) == 1


async def test_several_clients_at_once_see_one_portal(origin: str) -> None:
    eras: list[Era] = ["auto", "legacy", "auto", "legacy"]
    mine: list[int] = []

    async def work(era: Era) -> None:
        async with Client(f"{origin}/mcp", mode=era) as client:
            mine.extend([await Talk(client).add_connector(f"{era} {number}") for number in range(5)])

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            for era in eras:
                group.start_soon(work, era)
        async with Client(f"{origin}/mcp") as client:
            listed = await Talk(client).done("connector_list", select=["id"])
    assert [item["id"] for item in listed["items"]] == sorted(mine)
    assert len(set(mine)) == 20


async def test_pages_of_other_sites_do_not_reach_the_server(origin: str) -> None:
    async with httpx.AsyncClient(base_url=origin, headers=ACCEPT, trust_env=False, timeout=LIMIT_S) as http:
        own = await http.post("/mcp", json=HELLO)
        foreign_host = await http.post("/mcp", json=HELLO, headers={"Host": "evil.example"})
        foreign_origin = await http.post("/mcp", json=HELLO, headers={"Origin": "http://evil.example"})
    assert own.status_code == 200
    assert foreign_host.status_code == 421
    assert foreign_origin.status_code == 403


async def test_a_port_in_use_ends_the_server_without_a_stack_trace(origin: str, tmp_path: Path) -> None:
    port = origin.rpartition(":")[2]
    with anyio.fail_after(LIMIT_S):
        finished = await anyio.run_process(
            [*COMMAND, "serve", "--http", "--port", port],
            check=False,
            env=environment(tmp_path),
            cwd=tmp_path,
        )
    assert finished.returncode != 0
    assert b"Traceback" not in finished.stderr
