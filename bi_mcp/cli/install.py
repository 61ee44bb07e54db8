"""`bi-mcp install` and `bi-mcp uninstall`: an entry in a client's own file. No secret is written there."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bi_mcp.base.language import say

if TYPE_CHECKING:
    from bi_mcp.cli.clients.client_file import ClientFile
    from bi_mcp.cli.clients.known_clients import Client

# Known here too, so that --help loads nothing; a test compares it with the table.
NAMES = ("claude-code", "cursor", "vscode", "claude-desktop")

Command = Callable[..., None]


def file_options(command: Command) -> Command:
    """The options that both commands have."""
    for option in (
        click.argument("client", type=click.Choice(NAMES)),
        click.option("--yes", is_flag=True, help="Write without a question."),
        click.option(
            "--file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Edit this file instead of the client's usual one.",
        ),
    ):
        command = option(command)
    return command


@click.command(short_help="Add bi-mcp to an assistant.")
@file_options
@click.option("--profile", help="Let it work with this profile only. Default: with all.")
@click.option(
    "--env",
    "names",
    metavar="NAME",
    multiple=True,
    help="Hand this variable of the client's environment on, by its name; may be given several times.",
)
@click.option("--print", "only_print", is_flag=True, help="Print the entry and write nothing.")
def install(
    client: str, profile: str | None, names: tuple[str, ...], only_print: bool, yes: bool, file: Path | None
) -> None:
    r"""Add bi-mcp to the servers in the file of a CLIENT. Shows the change, asks, and keeps a copy of the file.

    claude-code is .mcp.json in this folder; cursor, vscode and claude-desktop are your user's settings. Comments stay. No secret is
    written: log in with `bi-mcp login`, or let the client hand variables on with --env.

    \b
    Examples:
      bi-mcp install claude-desktop
      bi-mcp install cursor --profile test --yes
      bi-mcp install vscode --print
      bi-mcp install claude-code --env BI_MCP_PORTAL_URL --env BI_MCP_ACCESS_TOKEN
    """
    from bi_mcp.cli.clients.client_file import ClientFile
    from bi_mcp.cli.clients.known_clients import CLIENTS, SERVER, build_entry, mask_entry, merge, references

    chosen = CLIENTS[client]
    _check_profile(profile, names)
    variables = references(chosen, names) | _folder_of_profiles()
    command = _command(chosen, profile)
    entry = build_entry(chosen, command, variables)
    path = file or _usual_file(chosen)
    if only_print:
        click.echo(say("For {path}:", path=path), err=True)
        click.echo(json.dumps({chosen.servers: {SERVER: entry}}, ensure_ascii=False, indent=2))
        return
    kept = ClientFile(path)
    old = kept.entry(chosen.servers, SERVER)
    new = merge(old, entry, profile)
    if new == old:
        click.echo(say("{path} has this entry already.", path=kept.path))
        return
    references_shown = list(variables.values())
    _show(kept, mask_entry(old, references_shown), mask_entry(new, references_shown))
    _write(kept, kept.with_entry(chosen.servers, SERVER, new), yes=yes)
    click.echo(say(chosen.then))
    if client == "claude-code" and not variables:
        typed = f"claude mcp add --scope user {SERVER} -- {shlex.join(command)}"
        click.echo(say("For all projects instead: {command}", command=typed))


@click.command(short_help="Remove bi-mcp from an assistant.")
@file_options
def uninstall(client: str, yes: bool, file: Path | None) -> None:
    r"""Remove bi-mcp from the servers in the file of a CLIENT. Shows the change, asks, and keeps a copy of the file.

    Profiles and secrets stay: `bi-mcp logout` and `bi-mcp secret remove` forget them.

    \b
    Examples:
      bi-mcp uninstall cursor
      bi-mcp uninstall claude-code --yes
    """
    from bi_mcp.cli.clients.client_file import ClientFile
    from bi_mcp.cli.clients.known_clients import CLIENTS, SERVER, mask_entry

    chosen = CLIENTS[client]
    kept = ClientFile(file or _usual_file(chosen))
    old = kept.entry(chosen.servers, SERVER)
    if old is None:
        click.echo(say("{path} has no entry {name}.", path=kept.path, name=SERVER))
        return
    _show(kept, mask_entry(old), None)
    _write(kept, kept.without_entry(chosen.servers, SERVER), yes=yes)


def _check_profile(profile: str | None, names: Sequence[str]) -> None:
    """Check the profile now rather than when the client starts the server, where the error would not be seen."""
    from bi_mcp.auth.profiles import load_profiles
    from bi_mcp.cli.clients.known_clients import PORTAL_VARIABLES
    from bi_mcp.config import configuration_folder

    if profile is None:
        return
    if set(names) & set(PORTAL_VARIABLES):
        raise click.UsageError(say("--profile and a portal in variables exclude each other. Drop one."))
    if profile != "embedded":
        load_profiles(configuration_folder()).choose(profile)


def _command(client: Client, profile: str | None) -> list[str]:
    from bi_mcp.cli.clients.known_clients import launch

    python = Path(sys.executable)
    script = python.with_name("bi-mcp.exe" if sys.platform == "win32" else "bi-mcp")
    return [
        *launch(client, script, python, shutil.which),
        "serve",
        *(("--profile", profile) if profile else ()),
    ]


def _folder_of_profiles() -> dict[str, str]:
    from bi_mcp.config import chosen_configuration_folder

    folder = chosen_configuration_folder()
    return {} if folder is None else {"BI_MCP_CONFIG_DIR": str(folder)}


def _usual_file(client: Client) -> Path:
    from bi_mcp.cli.clients.known_clients import Folders
    from bi_mcp.config import programs_settings_folder

    return client.path(Folders(home=Path.home(), settings=programs_settings_folder(), project=Path.cwd()))


def _show(kept: ClientFile, old: object, new: object) -> None:
    """Show the entry alone: the rest of the file may be secret."""
    click.echo(kept.path)
    for mark, entry in (("-", old), ("+", new)):
        if isinstance(entry, Mapping):
            for line in json.dumps(entry, ensure_ascii=False, indent=2).splitlines():
                click.echo(f"{mark} {line}")


def _write(kept: ClientFile, text: str, *, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise click.ClickException(say("Nothing was written: nobody is there to be asked. Add --yes."))
    if not yes:
        click.confirm(say("Write it?"), default=False, abort=True)
    copy = kept.write(text)
    click.echo(say("Written."))
    if copy is not None:
        click.echo(say("The file as it was: {path}", path=copy))
