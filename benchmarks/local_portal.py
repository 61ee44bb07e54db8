"""A local portal on a port, in a process of its own, and what one needs to call it by httpx alone."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from mcp.client.stdio import get_default_environment

from benchmarks.servers import OUR_COMMAND

_CONNECTOR = {
    "title": "Sales of the shop",
    "logo": "https://shop.example/logo.png",
    "description": "Orders and customers of the web shop, refreshed every night",
    "urlCheck": "https://shop.example/bi/check",
    "urlTableList": "https://shop.example/bi/tables",
    "urlTableDescription": "https://shop.example/bi/table",
    "urlData": "https://shop.example/bi/data",
    "settings": [
        {"code": "login", "name": "Login", "type": "STRING"},
        {"code": "password", "name": "Password", "type": "STRING"},
    ],
}


@dataclass(frozen=True)
class LocalPortal:
    """Where the portal answers and the token that it accepts."""

    address: str
    token: str

    def server_environment(self) -> dict[str, str]:
        """What points bi-mcp at this portal."""
        return {"BI_MCP_PORTAL_URL": self.address, "BI_MCP_ACCESS_TOKEN": self.token, "BI_MCP_LIMITS": "off"}

    async def add_connector(self, http: httpx.AsyncClient) -> int:
        """Add the connector that is read afterwards, and return its id."""
        return int((await self.post(http, "biconnector.connector.add", fields=_CONNECTOR))["id"])

    async def post(self, http: httpx.AsyncClient, method: str, **parameters: object) -> dict[str, Any]:
        """POST what bi-mcp posts, and read the answer as JSON."""
        response = await http.post(
            f"{self.address}/rest/{method}",
            content=json.dumps(parameters | {"auth": self.token}).encode(),
            headers={"Content-Type": "application/json"},
        )
        result: dict[str, Any] = json.loads(response.content)["result"]
        return result


@asynccontextmanager
async def running_portal(settings: Mapping[str, str] | None = None) -> AsyncIterator[LocalPortal]:
    """Start a portal and stop it afterwards. It lives in memory unless `settings`, variables of its own, say otherwise."""
    port = free_port()
    portal = LocalPortal(address=f"http://127.0.0.1:{port}", token=secrets.token_urlsafe())
    environment = {
        "BI_MCP_PORTAL_DB": ":memory:",
        "BI_MCP_PORTAL_ACCESS_TOKEN": portal.token,
        **(settings or {}),
    }
    async with await anyio.open_process(
        [*OUR_COMMAND, "portal", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env=get_default_environment() | environment,
    ) as process:
        try:
            await _wait_until_it_listens(port)
            yield portal
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


async def _wait_until_it_listens(port: int) -> None:
    with anyio.fail_after(30):
        while True:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(0.05)
            else:
                await stream.aclose()
                return
