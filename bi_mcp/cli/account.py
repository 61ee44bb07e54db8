"""`bi-mcp login`, `logout` and `profiles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bi_mcp.cli.options import keep_in_option

if TYPE_CHECKING:
    from bi_mcp.auth.profiles import Profiles

PORT = 8776


@click.command(short_help="Log in to a portal.")
@click.argument("portal", required=False)
@click.option("--name", help="Name of the profile. Default: from the portal's host.")
@click.option("--client-id", help="client_id of the local application. Default: bi-mcp asks for it.")
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
    help="Port of the handler address on this machine.",
)
@keep_in_option
@click.option("--read-only", is_flag=True, help="Lock the profile: nothing on the portal can be changed.")
def login(**options: Any) -> None:
    r"""Log in to PORTAL, such as https://acme.bitrix24.com, with a local application that you register there once.

    Opens the portal in your browser, receives its answer on this machine and keeps the token as a profile.

    \b
    Examples:
      bi-mcp login https://acme.bitrix24.com
      bi-mcp login acme.bitrix24.com --name prod --read-only
      bi-mcp login acme.bitrix24.com --paste
      bi-mcp login --webhook
    """
    from bi_mcp.cli.actions.login import LoginOptions, log_in

    log_in(LoginOptions(**options))


@click.command(short_help="Forget a profile and its token.")
@click.argument("name", required=False)
def logout(name: str | None) -> None:
    r"""Delete what this machine keeps for the profile NAME, or for the default profile.

    \b
    Example:
      bi-mcp logout test
    """
    from bi_mcp.cli.actions.logout import log_out

    log_out(name)


@click.group(invoke_without_command=True, short_help="Show profiles, choose the default, lock one read-only.")
@click.option("--json", "as_json", is_flag=True, help="Print the profiles as JSON.")
@click.pass_context
def profiles(ctx: click.Context, as_json: bool) -> None:
    r"""Show the portals that you are logged in to. The default one has a star. Does not call any portal.

    \b
    Examples:
      bi-mcp profiles
      bi-mcp profiles --json
      bi-mcp profiles lock prod
    """
    if ctx.invoked_subcommand is not None:
        return
    from bi_mcp.cli.actions.profiles import list_profiles

    list_profiles(as_json=as_json)


@profiles.command("default", short_help="Choose the profile that is used without --profile.")
@click.argument("name")
def choose_default(name: str) -> None:
    r"""Make the profile NAME the default.

    \b
    Example:
      bi-mcp profiles default test
    """
    _change(lambda known: known.with_default(name))


@profiles.command("lock", short_help="Allow reading only.")
@click.argument("name")
def lock(name: str) -> None:
    r"""Lock the profile NAME: nothing on its portal can be changed through it.

    \b
    Example:
      bi-mcp profiles lock prod
    """
    _change(lambda known: known.with_lock(name, read_only=True))


@profiles.command("unlock", short_help="Allow changes again.")
@click.argument("name")
def unlock(name: str) -> None:
    r"""Allow changes through the profile NAME again.

    \b
    Example:
      bi-mcp profiles unlock prod
    """
    _change(lambda known: known.with_lock(name, read_only=False))


@profiles.command("move", short_help="Follow a portal that was renamed.")
@click.argument("old")
@click.argument("new")
def move(old: str, new: str) -> None:
    r"""Move the profiles of the portal OLD to its new address NEW. Their logins and the history are kept.

    Only for one portal under another name: credentials kept for OLD are sent to NEW from now on.

    \b
    Example:
      bi-mcp profiles move acme.bitrix24.com acme-group.bitrix24.com
    """
    from bi_mcp.cli.actions.renamed_portal import move_profiles

    move_profiles(old, new)


def _change(change: Callable[[Profiles], Profiles]) -> None:
    from bi_mcp.cli.actions.profiles import change_and_list

    change_and_list(change)
