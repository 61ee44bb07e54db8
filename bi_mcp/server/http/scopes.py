"""The scopes that a caller's token needs. `app` demands `bi:read`; every tool that changes something also needs `bi:write`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.types import CallToolResult, TextContent

from bi_mcp.server.http.access import WRITE
from bi_mcp.server.tools import TOOLS

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

# Tools that write, but have calls that only read.
_READING_CALLS = {tool.name: tool.reads for tool in TOOLS if tool.reads_with}


@dataclass(frozen=True)
class WritesNeedScope:
    """Middleware of the server. `reading` holds the names of the tools that only read. Any other tool writes, except for its calls that only read."""

    reading: frozenset[str]

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Refuse a call that the caller's token does not cover, in words that the model can pass on."""
        if ctx.method != "tools/call":
            return await call_next(ctx)
        params = ctx.params or {}
        tool, arguments = str(params.get("name")), params.get("arguments")
        token = get_access_token()
        granted = token.scopes if token else []
        only_reads = (
            isinstance(arguments, dict) and tool in _READING_CALLS and _READING_CALLS[tool](arguments)
        )
        if tool in self.reading or WRITE in granted or only_reads:
            return await call_next(ctx)
        text = (
            f"{tool} was not sent: it changes something, and your access token lacks the scope {WRITE} (it has: "
            f"{', '.join(granted) or 'none'}). Nothing happened. The user must sign in again and grant {WRITE}."
        )
        return CallToolResult(is_error=True, content=[TextContent(text=text)])


async def require_scopes(server: MCPServer) -> None:
    """Let the server refuse writes without `bi:write`. The hints of the tools say which of them only read."""
    tools = await server.list_tools()
    reading = frozenset(tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint)
    server.middleware.append(WritesNeedScope(reading))
