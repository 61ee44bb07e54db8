"""The action of `bi-mcp serve --http`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from bi_mcp.config import Settings, http_settings
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import serve_http


def run_http_server(settings: Settings, options: Mapping[str, Any], started: Callable[[], None]) -> None:
    """Serve over HTTP until a signal comes. `started` is called once the server listens."""

    def announce(address: str) -> None:
        started()
        click.echo(f"bi-mcp serves MCP on {address} (Ctrl-C stops it)", err=True)

    serve_http(
        lambda shared: build_server(settings, shared=shared),
        HttpOptions(**options, settings=http_settings()),
        announce=announce,
    )
