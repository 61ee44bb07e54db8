"""The portal that a command works with: of the profile that it names, or the default one."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import click

from bi_mcp.app.app import App
from bi_mcp.app.build import build_app
from bi_mcp.config import read_settings

Result = TypeVar("Result")


def open_app(profile: str | None, show_settings: str | None = None) -> App:
    """Open the application that the server would have for this profile."""
    profiles = (profile,) if profile else ()
    return build_app(read_settings(profiles=profiles, BI_MCP_SHOW_SETTINGS=show_settings))


def on_the_portal(
    run: Callable[[App], Awaitable[Result]], profile: str | None, show_settings: str | None = None
) -> Result:
    """Do something with the portal, and close the connections to it."""

    async def play() -> Result:
        app = open_app(profile, show_settings)
        try:
            return await run(app)
        finally:
            await app.aclose()

    return anyio.run(play)


def print_result(
    run: Callable[[App], Awaitable[dict[str, Any]]], profile: str | None, *, as_json: bool
) -> None:
    """Do something with the portal and print the result if it is wanted as JSON. Exits with status 1 if its verdict is not good."""
    result = on_the_portal(run, profile)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    sys.exit(0 if result.get("verdict", "ok") in {"ok", "unchecked", "note", "healthy"} else 1)
