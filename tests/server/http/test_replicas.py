"""Two replicas behind a load balancer, with a Redis in which they keep what they share."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Annotated

import anyio
import httpx2
import pytest
from mcp.client.context import ClientRequestContext
from mcp.server import MCPServer
from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Resolve
from mcp.types import ElicitRequestParams, ElicitResult
from pydantic import BaseModel
from redis.asyncio import Redis

from bi_mcp.base.secret import Secret
from bi_mcp.config import HttpSettings, LocalPortalSettings
from bi_mcp.practice.portal import create_app
from bi_mcp.server.http.options import HttpOptions
from tests.practice.portal.serving import served
from tests.server.conftest import Era
from tests.server.http.processes import serving
from tests.server.http.serving import LIMIT_S, build, client, hosted
from tests.server.talking import Talk

pytestmark = [
    pytest.mark.campaign("servers for a team, as processes"),
    pytest.mark.anyio,
    pytest.mark.needs("redis-server"),
]

PORTAL_TOKEN = "token-of-the-tests"
TOKEN = "a-token-of-exactly-32-characters"
KEY = "a-shared-key-of-the-two-replicas"


@dataclass
class RoundRobin(httpx2.AsyncBaseTransport):
    """A load balancer: each request goes to the next replica, and `answered` counts them."""

    replicas: list[str]
    answered: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._next = cycle(self.replicas)
        self._network = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        replica = next(self._next)
        self.answered[replica] += 1
        host, _, port = replica.partition(":")
        request.url = request.url.copy_with(host=host, port=int(port))
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=self, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=LIMIT_S
        )


async def test_two_replicas_serve_one_client_in_turn(tmp_path: Path, redis: str, era: Era) -> None:
    portal = create_app(LocalPortalSettings(access_token=Secret(PORTAL_TOKEN)))
    with anyio.fail_after(LIMIT_S):
        async with AsyncExitStack() as stack:
            variables = {
                "BI_MCP_PORTAL_URL": f"http://{await stack.enter_async_context(served(portal))}",
                "BI_MCP_ACCESS_TOKEN": PORTAL_TOKEN,
                "BI_MCP_HTTP_TOKEN": TOKEN,
                "BI_MCP_SHARED_STORE": redis,
                "BI_MCP_SHARED_KEY": KEY,
            }
            replicas = [await stack.enter_async_context(serving(tmp_path, **variables)) for _ in range(2)]
            balancer = RoundRobin([replica.address for replica in replicas])
            # The name that the client knows is the first replica's; both answer to loopback names.
            connected = await stack.enter_async_context(
                client(replicas[0].address, era=era, http=balancer.client())
            )
            talk = Talk(connected)
            added = [await talk.add_connector(f"Connector {number}") for number in range(6)]
            listed = await talk.done("connector_list", select=["id"])
            assert [item["id"] for item in listed["items"]] == added
            # However the requests fall, over two rounds each replica confirms what the other one previewed.
            for id in added[:2]:
                assert (await talk.confirmed("connector_delete", id=id))["deleted"] is True
            # A question finds its way back to the other replica, except in the older protocols: they need the same process.
            http = balancer.client()
            able = client(replicas[0].address, era=era, http=http, elicitation_callback=proceed)
            done = await Talk(await stack.enter_async_context(able)).done("connector_delete", id=added[2])
            assert done["deleted"] is (era == "auto")
            assert ("preview" in done) is (era == "legacy")
    assert min(balancer.answered[replica.address] for replica in replicas) >= 3


class Sure(BaseModel):
    ok: bool


async def ask(ctx: Context) -> Elicit[Sure]:
    return Elicit("Really?", Sure)


async def drop_everything(answer: Annotated[ElicitationResult[Sure], Resolve(ask)]) -> str:
    """Asks first."""
    return "dropped" if isinstance(answer, AcceptedElicitation) and answer.data.ok else "kept"


def asking_server() -> MCPServer:
    server = build()
    server.add_tool(drop_everything)
    return server


async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"ok": True})


async def proceed(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"proceed": True})


def options(redis: str) -> HttpOptions:
    return HttpOptions(
        settings=HttpSettings(token=Secret(TOKEN), shared_store=Secret(redis), shared_key=Secret(KEY))
    )


async def test_what_one_replica_sealed_the_other_opens(redis: str) -> None:
    """A question takes two requests: the second, with the answer and the sealed state, goes to the other replica."""
    with anyio.fail_after(LIMIT_S):
        async with (
            hosted(options(redis), server=asking_server()) as one,
            hosted(options(redis), server=asking_server()) as other,
        ):
            balancer = RoundRobin([one, other])
            async with client(one, http=balancer.client(), elicitation_callback=agree) as connected:
                await connected.list_tools()
                balancer.answered.clear()
                result = await connected.call_tool("drop_everything", {})
    assert result.structured_content == {"result": "dropped"}
    assert balancer.answered == {one: 1, other: 1}


async def test_without_a_shared_store_the_other_replica_opens_nothing() -> None:
    """What the test above would see if nothing were shared."""
    alone = HttpOptions(settings=HttpSettings(token=Secret(TOKEN)))
    with anyio.fail_after(LIMIT_S):
        async with (
            hosted(alone, server=asking_server()) as one,
            hosted(alone, server=asking_server()) as other,
        ):
            balancer = RoundRobin([one, other])
            async with client(one, http=balancer.client(), elicitation_callback=agree) as connected:
                await connected.list_tools()
                with pytest.raises(Exception, match="requestState"):
                    await connected.call_tool("drop_everything", {})


async def test_nothing_is_readable_in_redis(redis: str) -> None:
    async with hosted(options(redis)), Redis.from_url(redis, decode_responses=True) as raw:
        assert set(await raw.keys()) == {"bi-mcp:sealing_key", "bi-mcp:replicas"}
        # The replicas are random names; a key must be a token of Fernet.
        assert str(await raw.get("bi-mcp:sealing_key")).startswith("gAAAAA")
