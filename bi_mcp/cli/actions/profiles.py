"""The actions of `bi-mcp profiles`."""

from __future__ import annotations

import json
from collections.abc import Callable

import click

from bi_mcp.auth.profiles import Profile, Profiles, change_profiles, load_profiles
from bi_mcp.base.language import say
from bi_mcp.config import configuration_folder


def list_profiles(*, as_json: bool) -> None:
    """Print the profiles of this machine."""
    known = load_profiles(configuration_folder())
    if as_json:
        _print_json(known)
    else:
        print_profiles(known)


def change_and_list(change: Callable[[Profiles], Profiles]) -> None:
    """Change the profiles of this machine, then print them."""
    print_profiles(change_profiles(configuration_folder(), change))


def print_profiles(known: Profiles) -> None:
    """Print a line for each profile, with a star before the default one."""
    if not known.by_name:
        click.echo(say("There are no profiles yet: run `bi-mcp login PORTAL`."))
    width = max(map(len, known.by_name), default=0)
    for name, profile in sorted(known.by_name.items()):
        star = "*" if name == known.default else " "
        click.echo(f"{star} {name:{width}}  {profile.portal_url}  {', '.join(_describe(profile))}")


def _describe(profile: Profile) -> list[str]:
    what = (
        say("webhook, *.fields only")
        if profile.kind == "webhook"
        else say("application {id}", id=profile.client_id)
    )
    kept = say("kept in {keeper}", keeper=profile.keeper)
    return [what, kept, *([say("read-only")] if profile.read_only else [])]


def _print_json(known: Profiles) -> None:
    listed = [
        {
            "name": name,
            "portal": profile.portal_url,
            "kind": profile.kind,
            "keptIn": profile.keeper,
            "readOnly": profile.read_only,
            "default": name == known.default,
        }
        for name, profile in sorted(known.by_name.items())
    ]
    click.echo(json.dumps({"profiles": listed}, ensure_ascii=False, indent=2))
