"""`bi-mcp install` and `bi-mcp uninstall`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bi_mcp.cli.options import add_options

# Known here too, so that --help loads nothing; a test compares it with the table.
NAMES = ("claude-code", "cursor", "vscode", "claude-desktop")

client_options = add_options(
    click.option(
        "--file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Edit this file instead of the client's usual one.",
    ),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.argument("client", type=click.Choice(NAMES)),
)


@click.command(short_help="Add bi-mcp to an assistant.")
@client_options
@click.option("--profile", help="Let the assistant use this profile only. Default: all profiles.")
@click.option(
    "--env",
    "names",
    metavar="NAME",
    multiple=True,
    help="Pass on this variable of the client's environment, by its name; may be given several times.",
)
@click.option("--print", "only_print", is_flag=True, help="Print the entry; do not change anything.")
def install(**options: Any) -> None:
    r"""Add bi-mcp to the MCP servers of a CLIENT: with the client's own command if it is on PATH, else in the client's file.

    Shows the change, asks, and keeps a copy of an edited file. claude-code is .mcp.json in this folder; cursor, vscode and
    claude-desktop are your user's settings. A file with comments is not edited: add what --print shows. No secret is
    written: log in with `bi-mcp login`, or let the client pass on variables with --env.

    \b
    Examples:
      bi-mcp install claude-desktop
      bi-mcp install cursor --profile test --yes
      bi-mcp install vscode --print
      bi-mcp install claude-code --env BI_MCP_PORTAL_URL --env BI_MCP_ACCESS_TOKEN
    """
    from bi_mcp.cli.actions.install import add_server

    add_server(**options)


@click.command(short_help="Remove bi-mcp from an assistant.")
@client_options
def uninstall(**options: Any) -> None:
    r"""Remove bi-mcp from the MCP servers of a CLIENT: with the client's own command, or from the client's file.

    Shows the change, asks, and keeps a copy of an edited file. Profiles and secrets stay: `bi-mcp logout` and
    `bi-mcp secret remove` delete them.

    \b
    Examples:
      bi-mcp uninstall cursor
      bi-mcp uninstall claude-code --yes
    """
    from bi_mcp.cli.actions.install import remove_server

    remove_server(**options)
