"""Clients that watch an object are told when a tool changed it: in both eras, across clients, over both transports."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPDeprecationWarning, MCPError
from mcp.server import MCPServer
from mcp.types import ResourceUpdatedNotification

from tests.server.conftest import Era
from tests.server.processes import LIMIT_S, started
from tests.server.talking import Talk, connector_fields
from tests.server.test_http import served_over_http
from tests.setup.test_commands import SETUP

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("many processes or clients at once")]


class Watcher:
    """A client that writes down what it is told."""

    def __init__(self, era: Era) -> None:
        self.era = era
        self._send, self._receive = anyio.create_memory_object_stream[str](100)

    async def on_message(self, message: object) -> None:
        # The client of the newest protocol hands events over in `listen`, and here once more.
        if self.era == "legacy" and isinstance(message, ResourceUpdatedNotification):
            await self._send.send(message.params.uri)

    def close(self) -> None:
        self._send.close()
        self._receive.close()

    async def told(self) -> str:
        with anyio.fail_after(LIMIT_S):
            return await self._receive.receive()

    def nothing_more(self) -> bool:
        return self._receive.statistics().current_buffer_used == 0

    @asynccontextmanager
    async def watching(self, client: Client, *uris: str) -> AsyncIterator[None]:
        if self.era == "legacy":
            for uri in uris:
                await subscribe(client, uri)
            yield
            return
        async with client.listen(resource_subscriptions=uris) as events, anyio.create_task_group() as group:

            async def listen() -> None:
                async for event in events:
                    await self._send.send(getattr(event, "uri", type(event).__name__))

            group.start_soon(listen)
            yield
            group.cancel_scope.cancel()


@pytest.fixture
def watcher(era: Era) -> Iterator[Watcher]:
    watcher = Watcher(era)
    yield watcher
    watcher.close()


async def subscribe(client: Client, uri: str) -> None:
    await _deprecated(client.subscribe_resource, uri)


async def _deprecated(call: Callable[[str], Awaitable[object]], uri: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        await call(uri)


async def changes(talk: Talk, watcher: Watcher, connector: int) -> None:
    """Change, refuse, delete: what is told is what happened."""
    mine = f"bi://connector/{connector}"
    fields = {"description": "new"}
    assert (await talk.done("connector_update", id=connector, fields=fields))["updated"]
    assert await watcher.told() == mine
    await talk.done("connector_get", id=connector)
    await talk.refused("connector_update", id=connector, fields={})
    confirm = await talk.preview("connector_delete", id=connector)
    await talk.done("connector_delete", id=connector, confirm=confirm)
    assert await watcher.told() == mine
    assert watcher.nothing_more()


async def test_a_watched_object_is_told_when_it_changes_and_when_it_goes(
    server: MCPServer, era: Era, watcher: Watcher
) -> None:
    async with Client(server, mode=era, message_handler=watcher.on_message) as client:
        talk = Talk(client)
        connector, other = await talk.add_connector(), await talk.add_connector("Other")
        async with watcher.watching(client, f"bi://connector/{connector}"):
            await talk.done("connector_update", id=other, fields={"description": "not watched"})
            await changes(talk, watcher, connector)


@pytest.mark.parametrize("other_era", ["auto", "legacy"])
async def test_over_http_what_one_client_changes_another_is_told(
    tmp_path: Path, era: Era, other_era: Era, watcher: Watcher
) -> None:
    async with served_over_http(tmp_path) as origin, Client(f"{origin}/mcp", mode=other_era) as other:
        talk = Talk(other)
        connector = await talk.add_connector()
        async with (
            Client(f"{origin}/mcp", mode=era, message_handler=watcher.on_message) as client,
            watcher.watching(client, f"bi://connector/{connector}"),
        ):
            await changes(talk, watcher, connector)


async def test_over_stdio_the_notification_is_a_line_of_its_own(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        hello = await wire.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        assert hello["capabilities"]["resources"]["subscribe"] is True
        await wire.notify("notifications/initialized")
        await wire.ask("resources/subscribe", uri="bi://connector/1")
        request = {"name": "connector_add", "arguments": {"fields": connector_fields()}}
        await wire.send_line(
            json.dumps({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": request})
        )
        told = [await wire.next_message() for _ in range(2)]
    [uri] = [
        message["params"]["uri"]
        for message in told
        if message.get("method") == "notifications/resources/updated"
    ]
    assert uri == "bi://connector/1"


async def test_a_setup_that_was_applied_tells_of_each_of_its_objects(
    server: MCPServer, era: Era, watcher: Watcher
) -> None:
    async with Client(server, mode=era, message_handler=watcher.on_message) as client:
        talk = Talk(client)
        watched = ["bi://connector/1", "bi://source/1", "bi://dataset/1"]
        async with watcher.watching(client, *watched):
            plan = await talk.done("workspace_plan", setup=SETUP)
            await talk.done("workspace_apply", token=plan["token"])
            assert [await watcher.told() for _ in watched] == watched
            assert watcher.nothing_more()


async def test_who_watches_the_history_is_told_of_each_change(
    server: MCPServer, era: Era, watcher: Watcher
) -> None:
    async with Client(server, mode=era, message_handler=watcher.on_message) as client:
        talk = Talk(client)
        async with watcher.watching(client, "bi://history"):
            await talk.done("connector_list")
            connector = await talk.add_connector()
            assert await watcher.told() == "bi://history"
            await talk.preview("connector_delete", id=connector)
            await talk.done("connector_update", id=connector, fields={"description": "new"})
            assert await watcher.told() == "bi://history"
            assert watcher.nothing_more()


@pytest.mark.parametrize("era", ["legacy"])
async def test_who_unsubscribed_is_told_nothing(server: MCPServer, watcher: Watcher) -> None:
    async with Client(server, mode="legacy", message_handler=watcher.on_message) as client:
        talk = Talk(client)
        first, second = await talk.add_connector(), await talk.add_connector("Second")
        for id in (first, second):
            await subscribe(client, f"bi://connector/{id}")
        await _deprecated(client.unsubscribe_resource, f"bi://connector/{first}")
        for id in (first, second):
            await talk.done("connector_update", id=id, fields={"description": "new"})
        assert await watcher.told() == f"bi://connector/{second}"
        assert watcher.nothing_more()


@pytest.mark.parametrize("uri", ["bi://connector/0", "bi://portal/1", "bi://history/1", "file:///etc/passwd"])
async def test_only_our_own_addresses_can_be_watched(server: MCPServer, uri: str) -> None:
    async with Client(server, mode="legacy") as client:
        with pytest.raises(MCPError, match="Subscribe to bi://connector/ID"):
            await subscribe(client, uri)


async def test_a_client_cannot_watch_without_bound(
    server: MCPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.server.subscriptions.MOST_PER_CLIENT", 2)
    async with Client(server, mode="legacy") as client:
        for uri in ("bi://dataset/fields", "bi://dataset/2"):
            await subscribe(client, uri)
        with pytest.raises(MCPError, match="unsubscribe from some"):
            await subscribe(client, "bi://dataset/3")
