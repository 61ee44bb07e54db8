"""Access to the application from a tool call."""

from __future__ import annotations

from mcp.server.mcpserver import Context

from bi_mcp.app.app import App

BiContext = Context[App]


def app_of(ctx: BiContext) -> App:
    """The app behind a call."""
    app = ctx.request_context.lifespan_context
    assert isinstance(app, App)  # noqa: S101  the composition root's lifespan yields nothing else
    return app
