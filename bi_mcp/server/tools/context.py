"""Access to the caller's application from a tool call."""

from __future__ import annotations

from mcp.server.mcpserver import Context

from bi_mcp.app.app import App
from bi_mcp.app.apps import Apps

BiContext = Context[Apps]


def app_of(ctx: BiContext) -> App:
    """Return the app of whoever calls. Raises `AuthorisationError` where the caller must sign in first."""
    return apps_of(ctx).current()


def apps_of(ctx: BiContext) -> Apps:
    """Return the apps behind a call."""
    apps: Apps = ctx.request_context.lifespan_context
    return apps
