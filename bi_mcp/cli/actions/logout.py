"""The action of `bi-mcp logout`."""

from __future__ import annotations

import anyio
import click

from bi_mcp.auth.login import forget
from bi_mcp.auth.profiles import load_profiles
from bi_mcp.base.language import say, text
from bi_mcp.config import configuration_folder

WITHDRAW = {
    "webhook": text("To withdraw its access as well, delete the webhook in {portal}."),
    "oauth": text("To withdraw its access as well, delete the application in {portal}."),
}


def log_out(name: str | None) -> None:
    """Delete a profile and its token from this machine."""
    folder = configuration_folder()
    profile = load_profiles(folder).choose(name)
    left = anyio.run(forget, folder, profile)
    click.echo(say("Profile {name!r} and its secrets were deleted from this machine.", name=profile.name))
    click.echo(say(WITHDRAW[profile.kind], portal=profile.portal_url))
    if left.by_name and left.default is None:
        click.echo(say("There is no default profile now: `bi-mcp profiles default NAME` chooses one."))
