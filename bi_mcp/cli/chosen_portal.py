"""The portal that a command works with: of the profile that it names, or the default one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bi_mcp.app.app import App

Result = TypeVar("Result")

profile_option = click.option("--profile", help="Work with this profile. Default: the default one.")


def open_app(profile: str | None, show_settings: str | None = None) -> App:
    """Open the application that the server would have for this profile."""
    from bi_mcp.app.build import build_app
    from bi_mcp.config import read_settings

    profiles = (profile,) if profile else ()
    return build_app(read_settings(profiles=profiles, BI_MCP_SHOW_SETTINGS=show_settings))


def on_the_portal(
    run: Callable[[App], Awaitable[Result]], profile: str | None, show_settings: str | None = None
) -> Result:
    """Do something with the portal, and close the connections to it."""
    import anyio

    async def play() -> Result:
        app = open_app(profile, show_settings)
        try:
            return await run(app)
        finally:
            await app.aclose()

    return anyio.run(play)
