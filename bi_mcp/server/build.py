"""The composition root: the only place that wires the parts together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import create_task_group
from mcp.server import MCPServer

from bi_mcp import __version__
from bi_mcp.app.build import build_app
from bi_mcp.server.completion import add_completion
from bi_mcp.server.instructions import build_instructions
from bi_mcp.server.prompts import build_prompts, languages_of
from bi_mcp.server.refusals import add_refusals
from bi_mcp.server.resources import add_resources
from bi_mcp.server.subscriptions import Subscriptions
from bi_mcp.server.tools import COMPACT, choose_tools
from bi_mcp.server.tools.call import build_tool
from bi_mcp.server.views import build_views

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mcp.server.mcpserver.tools import Tool

    from bi_mcp.app.app import App
    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.config import Settings
    from bi_mcp.rest.client import BIConnector


def build_server(
    settings: Settings, *, connect: Callable[[], BIConnector] | None = None, shared: Shared | None = None
) -> MCPServer:
    """Build a server with the chosen tools, the resources, and the prompts that these tools can follow.

    `connect` replaces how the portal is reached, for a portal that a test or an embedding program brings. `shared` is what
    the server has in common with its replicas. Raises `ConfigError` for settings that do not fit together.
    """
    app = build_app(settings, connect, shared)
    tools = build_tools(settings, app)
    names = {tool.name for tool in tools}

    @asynccontextmanager
    async def lifespan(_: MCPServer) -> AsyncIterator[App]:
        try:
            async with create_task_group() as app.background:
                yield app
                app.background.cancel_scope.cancel()
        finally:
            await app.aclose()

    subscriptions = Subscriptions()
    server = MCPServer(
        "bi-mcp",
        title="Bitrix24 BI connections",
        version=__version__,
        instructions=build_instructions(settings, app, names),
        tools=tools,
        extensions=build_views(names),
        lifespan=lifespan,
        log_level="WARNING",
        subscriptions=subscriptions,
    )
    subscriptions.serve(server)
    add_refusals(server)
    add_resources(server, app)
    add_completion(server, app, languages_of)
    for prompt in build_prompts(names, settings.language):
        server.add_prompt(prompt)
    return server


def build_tools(settings: Settings, app: App) -> list[Tool]:
    """Build the tools that the settings choose."""
    chosen = choose_tools(settings.toolsets, read_only=settings.read_only)
    tools: list[Tool] = [build_tool(declaration, tuple(app.portals)) for declaration in chosen]
    if settings.read_only or COMPACT in settings.toolsets:
        # Where a short list was asked for, it is worth more than the shape of answers.
        for tool in tools:
            tool.fn_metadata.output_schema = None
    return tools
