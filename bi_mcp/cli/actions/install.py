"""The actions of `bi-mcp install` and `uninstall`: the client's own command, or an entry in the client's file. No secret is written."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from bi_mcp.auth.profiles import load_profiles
from bi_mcp.base.language import say
from bi_mcp.cli.clients.client_file import ClientFile
from bi_mcp.cli.clients.known_clients import (
    CLIENTS,
    PORTAL_VARIABLES,
    SERVER,
    Client,
    Folders,
    build_entry,
    launch,
    mask_entry,
    merge,
    references,
)
from bi_mcp.cli.clients.own_command import find_command, find_program, run_command
from bi_mcp.config import chosen_configuration_folder, configuration_folder, programs_settings_folder


def add_server(
    client: str,
    profile: str | None,
    names: tuple[str, ...],
    *,
    only_print: bool,
    yes: bool,
    file: Path | None,
) -> None:
    """Add bi-mcp to the servers of a client, or update its entry."""
    chosen = CLIENTS[client]
    _check_profile(profile, names)
    variables = references(chosen, names)
    if folder := chosen_configuration_folder():
        variables["BI_MCP_CONFIG_DIR"] = str(folder)
    start = _start_command(chosen, profile)
    entry = build_entry(chosen, start, variables)
    path = file or _usual_file(chosen)
    if only_print:
        click.echo(say("For {path}:", path=path), err=True)
        click.echo(json.dumps({chosen.servers: {SERVER: entry}}, ensure_ascii=False, indent=2))
        return
    advice = say("Add by hand what `bi-mcp install {client} --print` shows.", client=client)
    read = partial(ClientFile, path, chosen.servers, advice)
    kept = read()
    # An entry that exists is edited in the file: the user may have added secrets to it, and command lines are visible to others.
    own = None if file or kept.entry(SERVER) is not None else find_command(chosen.add(entry))
    added = False
    if own:
        _confirm_command(own, yes=yes)
        run_command(own)
        kept = read()
        added = kept.entry(SERVER) is not None
        click.echo(_outcome(kept.path, changed=added))
    if not added and not _edit(kept, entry, profile, list(variables.values()), yes=yes):
        return
    click.echo(say(chosen.then))
    click.echo(
        say(
            "Your data lies in a database or in files? `bi-mcp connector serve --help` says how to serve it to Bitrix24."
        )
    )
    if client == "claude-code" and not variables:
        command = f"claude mcp add --scope user {SERVER} -- {shlex.join(start)}"
        click.echo(say("For all projects instead: {command}", command=command))


def remove_server(client: str, *, yes: bool, file: Path | None) -> None:
    """Remove bi-mcp from the servers of a client."""
    chosen = CLIENTS[client]
    advice = say("If it has an entry {name}, remove that by hand.", name=SERVER)
    read = partial(ClientFile, file or _usual_file(chosen), chosen.servers, advice)
    kept = read()
    old = kept.entry(SERVER)
    if old is None:
        click.echo(say("{path} has no entry {name}.", path=kept.path, name=SERVER))
        return
    _print_change(kept.path, mask_entry(old), None)
    own = None if file else find_command(chosen.remove)
    removed = False
    if own:
        _confirm_command(own, yes=yes)
        _print_copy(kept.copy())
        run_command(own)
        kept = read()
        removed = kept.entry(SERVER) is None
        click.echo(_outcome(kept.path, changed=removed))
    if not removed:
        _write(kept, kept.without_entry(SERVER), yes=yes)


def _edit(
    kept: ClientFile, entry: Mapping[str, object], profile: str | None, visible: Sequence[str], *, yes: bool
) -> bool:
    """Put the entry into the file. False if it was there already."""
    old = kept.entry(SERVER)
    new = merge(old, entry, profile)
    if new == old:
        click.echo(say("{path} has this entry already.", path=kept.path))
        return False
    _print_change(kept.path, mask_entry(old, visible), mask_entry(new, visible))
    _write(kept, kept.with_entry(SERVER, new), yes=yes)
    return True


def _check_profile(profile: str | None, names: Sequence[str]) -> None:
    """Check the profile now rather than when the client starts the server, where the error would not be seen."""
    if profile is None:
        return
    if set(names) & set(PORTAL_VARIABLES):
        raise click.UsageError(say("--profile and a portal in variables exclude each other. Drop one."))
    if profile != "embedded":
        load_profiles(configuration_folder()).choose(profile)


def _start_command(client: Client, profile: str | None) -> list[str]:
    python = Path(sys.executable)
    script = python.with_name("bi-mcp.exe" if sys.platform == "win32" else "bi-mcp")
    return [
        *launch(client, script, python, find_program),
        "serve",
        *(("--profile", profile) if profile else ()),
    ]


def _usual_file(client: Client) -> Path:
    return client.path(Folders(home=Path.home(), settings=programs_settings_folder(), project=Path.cwd()))


def _print_change(path: Path, old: object, new: object) -> None:
    """Print the entry alone: the rest of the file may be secret."""
    click.echo(path)
    for mark, entry in (("-", old), ("+", new)):
        if isinstance(entry, Mapping):
            for line in json.dumps(entry, ensure_ascii=False, indent=2).splitlines():
                click.echo(f"{mark} {line}")


def _outcome(path: Path, *, changed: bool) -> str:
    """The words after a client's own command: older versions ignore options that they do not know, and end with status 0."""
    if changed:
        return say("Done.")
    return say("The command ended without an error but did not change {path}, so bi-mcp edits it.", path=path)


def _confirm_command(command: Sequence[str], *, yes: bool) -> None:
    click.echo(shlex.join(command))
    _confirm(say("Run it?"), yes=yes)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(
            say("Nothing was changed: without a terminal nobody can confirm it. Add --yes.")
        )
    click.confirm(question, default=False, abort=True)


def _write(kept: ClientFile, text: str, *, yes: bool) -> None:
    _confirm(say("Write it?"), yes=yes)
    copy = kept.write(text)
    click.echo(say("Written."))
    _print_copy(copy)


def _print_copy(copy: Path | None) -> None:
    if copy is not None:
        click.echo(say("Copy of the previous file: {path}", path=copy))
