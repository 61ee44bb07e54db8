"""`bi-mcp login`, `logout` and `profiles`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say, text

if TYPE_CHECKING:
    from bi_mcp.auth.profiles import Profiles

PORT = 8776


@click.command(short_help="Log in to a portal.")
@click.argument("portal", required=False)
@click.option("--name", help="Name of the profile. Default: from the portal's host.")
@click.option("--client-id", help="Of the local application. Default: it is asked for.")
@click.option("--client-secret-env", metavar="VARIABLE", help="Take the client_secret from this variable.")
@click.option(
    "--client-secret-stdin", is_flag=True, help="Take the client_secret from the first line of the input."
)
@click.option(
    "--import",
    "installation",
    type=click.File(),
    metavar="FILE",
    help="Take the token from an installation callback: a file, or - for the input.",
)
@click.option(
    "--webhook", is_flag=True, help="Ask for an incoming webhook's address instead: *.fields methods only."
)
@click.option("--paste", is_flag=True, help="Paste the returned address: the browser is on another machine.")
@click.option("--no-browser", is_flag=True, help="Print the address; do not open it.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=PORT,
    show_default=True,
    help="Of the handler address on this machine.",
)
@click.option(
    "--keep-in", type=click.Choice(["keyring", "file"]), help="Default: the keyring where there is one."
)
@click.option("--read-only", is_flag=True, help="Lock the profile: nothing on the portal can be changed.")
def login(**options: object) -> None:
    r"""Log in to PORTAL, such as https://acme.bitrix24.com, with a local application that you register there once.

    Opens the portal in your browser, receives its answer on this machine and keeps the token as a profile.

    \b
    Examples:
      bi-mcp login https://acme.bitrix24.com
      bi-mcp login acme.bitrix24.com --name prod --read-only
      bi-mcp login acme.bitrix24.com --paste
      bi-mcp login --webhook
    """
    # Imported here and not at the top: the server starts through this package, and does not need it.
    from bi_mcp.cli.login import Wishes, log_in

    log_in(Wishes(**options))  # type: ignore[arg-type]  # click has checked them against the options above


@click.command(short_help="Forget a profile and its token.")
@click.argument("name", required=False)
def logout(name: str | None) -> None:
    r"""Delete what this machine keeps for the profile NAME, or for the default profile.

    \b
    Example:
      bi-mcp logout test
    """
    import anyio

    from bi_mcp.auth.login import forget
    from bi_mcp.auth.profiles import load_profiles
    from bi_mcp.config import configuration_folder

    folder = configuration_folder()
    profile = load_profiles(folder).choose(name)
    left = anyio.run(forget, folder, profile)
    click.echo(say("Profile {name!r} is gone from this machine, with its secrets.", name=profile.name))
    told = (
        text("To withdraw its access as well, delete the webhook in {portal}.")
        if profile.kind == "webhook"
        else text("To withdraw its access as well, delete the application in {portal}.")
    )
    click.echo(say(told, portal=profile.portal_url))
    if left.by_name and left.default is None:
        click.echo(say("There is no default profile now: `bi-mcp profiles default NAME` chooses one."))


@click.group(invoke_without_command=True, short_help="Show profiles, choose the default, lock one read-only.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def profiles(ctx: click.Context, as_json: bool) -> None:
    r"""Show the portals that you are logged in to. The default one has a star. Calls no portal.

    \b
    Examples:
      bi-mcp profiles
      bi-mcp profiles --json
      bi-mcp profiles lock prod
    """
    if ctx.invoked_subcommand is not None:
        return
    if as_json:
        _show_json(_load())
    else:
        _show(_load())


@profiles.command("default", short_help="Choose the profile that is used without --profile.")
@click.argument("name")
def choose_default(name: str) -> None:
    r"""Make the profile NAME the default.

    \b
    Example:
      bi-mcp profiles default test
    """
    from bi_mcp.auth.profiles import change_profiles
    from bi_mcp.config import configuration_folder

    _show(change_profiles(configuration_folder(), lambda known: known.with_default(name)))


@profiles.command("lock", short_help="Allow nothing but reading.")
@click.argument("name")
def lock(name: str) -> None:
    r"""Lock the profile NAME: nothing on its portal can be changed through it.

    \b
    Example:
      bi-mcp profiles lock prod
    """
    _set_lock(name, read_only=True)


@profiles.command("unlock", short_help="Allow changes again.")
@click.argument("name")
def unlock(name: str) -> None:
    r"""Allow changes through the profile NAME again.

    \b
    Example:
      bi-mcp profiles unlock prod
    """
    _set_lock(name, read_only=False)


@profiles.command("move", short_help="Follow a portal that was renamed.")
@click.argument("old")
@click.argument("new")
def move(old: str, new: str) -> None:
    r"""Move the profiles of the portal OLD to its new address NEW. Their logins are kept, and so is the history.

    Only for one portal under another name: what is kept for OLD is sent to NEW from now on.

    \b
    Example:
      bi-mcp profiles move acme.bitrix24.com acme-group.bitrix24.com
    """
    from bi_mcp.cli.login import move_profiles

    _show(move_profiles(old, new))


def _set_lock(name: str, *, read_only: bool) -> None:
    from bi_mcp.auth.profiles import change_profiles
    from bi_mcp.config import configuration_folder

    _show(change_profiles(configuration_folder(), lambda known: known.with_lock(name, read_only=read_only)))


def _load() -> Profiles:
    from bi_mcp.auth.profiles import load_profiles
    from bi_mcp.config import configuration_folder

    return load_profiles(configuration_folder())


def _show_json(known: Profiles) -> None:
    shown = [
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
    click.echo(json.dumps({"profiles": shown}, ensure_ascii=False, indent=2))


def _show(known: Profiles) -> None:
    if not known.by_name:
        click.echo(say("There are no profiles yet: run `bi-mcp login PORTAL`."))
    width = max(map(len, known.by_name), default=0)
    for name, profile in sorted(known.by_name.items()):
        star = "*" if name == known.default else " "
        what = (
            say("webhook, *.fields only")
            if profile.kind == "webhook"
            else say("application {id}", id=profile.client_id)
        )
        kept = say("kept in {keeper}", keeper=profile.keeper)
        told = ", ".join([what, kept, *([say("read-only")] if profile.read_only else [])])
        click.echo(f"{star} {name:{width}}  {profile.portal_url}  {told}")
