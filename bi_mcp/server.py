"""The composition root: the only place that wires the parts together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import create_task_group
from mcp.server import MCPServer

from bi_mcp import __version__
from bi_mcp.completion import add_completion
from bi_mcp.config import secret_variable, secret_variables
from bi_mcp.instructions import build_instructions
from bi_mcp.portals import build_portals, build_recorder
from bi_mcp.prompts import build_prompts, languages_of
from bi_mcp.refusals import add_refusals
from bi_mcp.resources import add_resources
from bi_mcp.secret_references.named_secrets import NamedSecrets
from bi_mcp.secret_references.setting_values import SettingValues
from bi_mcp.subscriptions import Subscriptions
from bi_mcp.tools import choose_tools
from bi_mcp.tools.app import App, PortalAccess
from bi_mcp.tools.confirmation_token import Seal
from bi_mcp.tools.map import build_views
from bi_mcp.tools.schema import outline
from bi_mcp.tools.tool import build_tool
from bi_mcp.workspace.portal_identity import PortalIdentity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mcp.server.mcpserver.tools import Tool

    from bi_mcp.config import Settings
    from bi_mcp.diagnostics.portal_status import PortalStatus
    from bi_mcp.hosting.serving import Shared
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
        instructions=build_instructions(settings, app),
        tools=tools,
        extensions=[build_views()] if "portal_map" in names else [],
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
    if settings.read_only:
        # Who only looks around reads answers; a list of half the size is worth more to them than how answers are built.
        for tool in tools:
            tool.fn_metadata.output_schema = outline(tool.fn_metadata.output_schema or {})
    return tools


def build_app(
    settings: Settings, connect: Callable[[], BIConnector] | None = None, shared: Shared | None = None
) -> App:
    """Build what the tools share."""
    portals, default = build_portals(settings, shared)
    if connect is not None:
        recorder = build_recorder(settings, "portal", PortalIdentity("portal"))
        brought = PortalAccess(
            "the portal",
            "the portal that the program brought.",
            connect,
            recorder=recorder,
            locks=settings.configuration_folder,
        )
        portals, default = {"portal": brought}, "portal"
    if settings.read_only:
        # No tool is there that writes; should one be forgotten, the client refuses.
        portals = {name: replace(portal, read_only=True) for name, portal in portals.items()}
    return App(
        portals=portals,
        default=default,
        setting_values=SettingValues(
            variable=secret_variable,
            folder=settings.secrets_folder,
            allow_literal_secrets=settings.allow_literal_secrets,
            named=NamedSecrets(folder) if (folder := settings.configuration_folder) else None,
            shown=settings.shown_settings,
            variables=secret_variables,
        ),
        shown_settings=settings.shown_settings,
        seal=_build_seal(settings, shared),
        asks=settings.confirm == "elicit",
        workspace_folder=settings.workspace_folder,
        language=settings.language,
    )


def _build_seal(settings: Settings, shared: Shared | None) -> Seal | None:
    if settings.confirm == "off":
        return None
    return Seal() if shared is None else Seal(shared.confirmation_key)


async def examine(settings: Settings) -> list[PortalStatus]:
    """Let the doctor look at each configured portal."""
    from bi_mcp.diagnostics.portal_status import read_portal_status

    app = build_app(settings)
    try:
        return [
            await read_portal_status(portal.bi, portal.title, limiter=portal.limiter)
            for portal in app.portals.values()
        ]
    finally:
        await app.aclose()
