"""The least that the SDK allows: a server of one tool. What bi-mcp is compared with; started as a script."""

from __future__ import annotations

from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")


@server.tool()
async def echo(text: str) -> str:
    """Say the text again."""
    return text


if __name__ == "__main__":
    server.run("stdio")
