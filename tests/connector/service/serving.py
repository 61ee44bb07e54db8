"""The connector on a real socket, and a client that asks as Bitrix24 does."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.keys import key_from
from bi_mcp.connector.app import build_app
from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.configuration import Listening
from bi_mcp.connector.service.settings import ServiceSettings
from bi_mcp.connector.serving import _listen, _Server
from bi_mcp.connector.source import Source
from tests.connector.service.memory import LIMIT_S, MemorySource, Table

KEY = Secret("canary-key-of-the-shop")
CONNECTION = {"connection[source]": "shop", "connection[key]": KEY.reveal()}
COLUMNS = (
    TableColumn("ID", "int"),
    TableColumn("NAME", "string"),
    TableColumn("PAID", "date"),
)
ROWS = ((1, "Ann", "2025-01-31"), (2, "Bo", None), (3, 'C"ora', "2025-03-01"))
LISTENING = Listening(
    host="127.0.0.1", port=0, certificate=None, key=None, behind_proxy=False, stop_seconds=LIMIT_S
)


def shop(**options: Any) -> MemorySource:
    """A source with the table `orders`."""
    return MemorySource(
        {"orders": Table(COLUMNS, options.pop("rows", ROWS), **options), "empty": Table(COLUMNS)}
    )


def app_of(source: Source, **settings: Any) -> Starlette:
    return build_app({"shop": source}, [key_from(KEY, "")], ServiceSettings(**settings))


@asynccontextmanager
async def listening(app: Starlette, **changes: Any) -> AsyncIterator[tuple[str, _Server]]:
    """Serve as the command does, and give the `host:port` and the server."""
    where = replace(LISTENING, **changes)
    server = _Server(app, where, lambda: None)
    with _listen(where) as listener:
        async with anyio.create_task_group() as group:
            group.start_soon(server._serve, [listener])
            try:
                yield f"127.0.0.1:{listener.getsockname()[1]}", server
            finally:
                server.should_exit = True


@asynccontextmanager
async def connector(source: Source, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a connector over this source."""
    async with listening(app_of(source, **settings)) as (address, _), client_of(address) as client:
        yield client


def client_of(
    address: str, *, scheme: str = "http", verify: ssl.SSLContext | bool = False
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{scheme}://{address}", trust_env=False, timeout=LIMIT_S, verify=verify
    )


async def ask(
    client: httpx.AsyncClient, path: str, form: Mapping[str, str | Sequence[str]] | None = None
) -> httpx.Response:
    """Ask as a source with the right settings."""
    return await client.post(path, data={**CONNECTION, **(form or {})})


async def ask_when_free(
    client: httpx.AsyncClient, path: str, form: Mapping[str, str | Sequence[str]] | None = None
) -> httpx.Response:
    """Ask until there is room: the server is done with an answer a moment after the client."""
    with anyio.fail_after(LIMIT_S):
        while (response := await ask(client, path, form)).status_code == 503:  # noqa: ASYNC110  the server says nothing when it is done
            await anyio.sleep(0.01)
    return response


async def refusal(
    client: httpx.AsyncClient, path: str, form: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """The status and the sentence of a refusal."""
    response = await ask(client, path, form)
    body = response.json()
    assert list(body) == ["error"]
    return response.status_code, body["error"]


async def heard(
    client: httpx.AsyncClient,
    form: Mapping[str, str],
    meanwhile: Callable[[], Awaitable[object]] | None = None,
) -> tuple[int, bytes]:
    """The status and what arrived of an answer that breaks off: never what a reader would take for the whole."""
    body = bytearray()

    async def read(response: httpx.Response) -> None:
        async for part in response.aiter_raw():
            body.extend(part)

    async with client.stream("POST", "/data", data={**CONNECTION, **form}) as response:
        if meanwhile:
            await meanwhile()
        with pytest.raises(httpx.RemoteProtocolError):
            await read(response)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    return response.status_code, bytes(body)


@asynccontextmanager
async def question(
    address: str, form: Mapping[str, str]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which a question was sent, and whose reader takes no more than it is asked for."""
    reader, writer = await asyncio.open_connection(*address.split(":"), limit=4096)
    body = urlencode(form)
    head = "POST /data HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded"
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.close()
