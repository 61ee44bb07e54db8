"""The action of `bi-mcp profiles move`."""

from __future__ import annotations

from bi_mcp.auth.portal_identity import identify_portal, portal_address
from bi_mcp.auth.profiles import change_profiles, load_profiles
from bi_mcp.base.language import say
from bi_mcp.cli.actions.portal_url import parse_portal_url
from bi_mcp.cli.actions.profiles import print_profiles
from bi_mcp.config import configuration_folder
from bi_mcp.errors import ConfigError
from bi_mcp.history.entries import move_history


def move_profiles(old: str, new: str) -> None:
    """Move the profiles of a portal that was renamed, and the history of its writes."""
    folder, before, after = configuration_folder(), parse_portal_url(old), parse_portal_url(new)
    known = load_profiles(folder)
    moved = change_profiles(folder, lambda profiles: profiles.with_renamed(before, after))
    try:
        move_history(folder, identify_portal(before, known), portal_address(after))
    except OSError as error:
        raise ConfigError(
            say(
                "The profiles were moved, but not the history in {folder} ({strerror}). Make the folder writable, run the command with the addresses swapped, then run it again as before.",
                folder=folder / "history",
                strerror=error.strerror,
            )
        ) from None
    print_profiles(moved)
