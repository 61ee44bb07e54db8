"""Everything that speaks MCP, and the place where it is put together."""

from bi_mcp.server.build import build_server

__all__ = ["build_server"]
