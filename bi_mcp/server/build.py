"""The composition root: the only place that wires the parts together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import create_task_group
from mcp.server import MCPServer

from bi_mcp import __version__
from bi_mcp.app.apps import OneApp
from bi_mcp.app.build import build_app
from bi_mcp.server.callers import KnownCallers
from bi_mcp.server.completion import add_completion
from bi_mcp.server.instructions import Place, build_instructions, describe_own_portal, describe_portals
from bi_mcp.server.prompts import build_prompts, languages_of
from bi_mcp.server.refusals import add_refusals
from bi_mcp.server.resources import add_resources
from bi_mcp.server.subscriptions import Subscriptions
from bi_mcp.server.tools import COMPACT, choose_tools
from bi_mcp.server.tools.call import build_tool
from bi_mcp.server.views import build_views

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from mcp.server.mcpserver.tools import Tool

    from bi_mcp.app.apps import Apps
    from bi_mcp.app.replicas.shared import Shared
    from bi_mcp.app.sign_in.sign_ins import SignIns
    from bi_mcp.config import Settings
    from bi_mcp.rest.client import BIConnector


def build_server(
    settings: Settings,
    *,
    connect: Callable[[], BIConnector] | None = None,
    shared: Shared | None = None,
    sign_ins: SignIns | None = None,
) -> MCPServer:
    """Build a server with the chosen tools, the resources, and the prompts that these tools can follow.

    `connect` replaces how the portal is reached, for a portal that a test or an embedding program brings. `shared` is what
    the server has in common with its replicas. With `sign_ins` every caller works as the person who signed in, on that
    person's portal, and the portals of the settings are not used. Raises `ConfigError` for settings that do not fit together.
    """
    if sign_ins is None:
        app = build_app(settings, connect, shared)
        return _build(settings, OneApp(app), tuple(app.portals), describe_portals(app))
    # Imported here: a server that is started for a chat signs nobody in.
    from bi_mcp.app.sign_in.peoples_apps import PeoplesApps

    # A person has one portal, so that there is nothing to choose.
    return _build(settings, PeoplesApps(settings, sign_ins, shared), (), describe_own_portal(settings))


def _build(settings: Settings, apps: Apps, portals: Sequence[str], place: Place) -> MCPServer:
    tools = build_tools(settings, portals)
    names = {tool.name for tool in tools}

    @asynccontextmanager
    async def lifespan(_: MCPServer) -> AsyncIterator[Apps]:
        try:
            async with create_task_group() as background:
                apps.begin(background)
                yield apps
                background.cancel_scope.cancel()
        finally:
            await apps.aclose()

    subscriptions = Subscriptions()
    server = MCPServer(
        "bi-mcp",
        title="Bitrix24 BI connections",
        version=__version__,
        instructions=build_instructions(settings, names, place),
        tools=tools,
        extensions=build_views(names),
        lifespan=lifespan,
        log_level="WARNING",
        subscriptions=subscriptions,
    )
    server.middleware.append(KnownCallers(apps))
    subscriptions.serve(server)
    add_refusals(server)
    add_resources(server, apps)
    add_completion(server, apps, languages_of)
    for prompt in build_prompts(names, settings.language, "page" if apps.secrets_page else "terminal"):
        server.add_prompt(prompt)
    return server


def build_tools(settings: Settings, portals: Sequence[str]) -> list[Tool]:
    """Build the tools that the settings choose. `portals` are the names of those that a call may choose from."""
    chosen = choose_tools(settings.toolsets, read_only=settings.read_only)
    tools: list[Tool] = [build_tool(declaration, portals) for declaration in chosen]
    if settings.read_only or COMPACT in settings.toolsets:
        # Where a short list was asked for, it is worth more than the shape of answers.
        for tool in tools:
            tool.fn_metadata.output_schema = None
    return tools
