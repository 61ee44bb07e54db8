"""The least that the SDK allows over HTTP: one tool that makes one POST. What bi-mcp is compared with; started as a script."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import anyio
import httpx
import uvicorn
from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")
# A proxy of this environment would stand in one of the two ways only.
http = httpx.AsyncClient(trust_env=False)


@server.tool()
async def dataset_get(id: int) -> dict[str, Any]:
    """Read one dataset."""
    response = await http.post(
        os.environ["BI_MCP_PORTAL_URL"] + "/rest/biconnector.dataset.get",
        json={"id": id, "auth": os.environ["BI_MCP_ACCESS_TOKEN"]},
    )
    response.raise_for_status()
    result: dict[str, Any] = response.json()["result"]
    return result


async def serve() -> None:
    """Serve as the SDK does, on a port that is free; its address is the first line on standard error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
        config = uvicorn.Config(server.streamable_http_app(), log_level="warning")
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    anyio.run(serve)
