"""The setup file of a command: a file with its state beside it, a pipe, or standard input."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import click

from bi_mcp.app.app import App
from bi_mcp.base.language import say
from bi_mcp.base.whole_file import link_target, replace_file
from bi_mcp.cli.setup import DEFAULT_FILE
from bi_mcp.cli.streams import read_whole
from bi_mcp.setup.document import OF_A_COMMAND
from bi_mcp.setup.file import read_setup
from bi_mcp.setup.mapping import MappedSetup, read_pairs
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.setup_text import decode_setup, read_setup_text
from bi_mcp.setup.state_file import StateKeeper, keeper_at

FILES_OF_THE_PROCESS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


def read_file(
    app: App, file: str | None, urls: tuple[str, ...], secrets: tuple[str, ...]
) -> tuple[Setup, StateKeeper]:
    """The setup of a file, mapped as the options say, and where its state is kept."""
    name, text = read_text(file)
    mapped = MappedSetup(read_pairs(urls, "--map-url"), read_pairs(secrets, "--map-secret"))
    return mapped.of(read_setup(text, name)), keeper_of(app, name)


def read_text(file: str | None) -> tuple[str, str]:
    """The name and the text of a file. A pipe is read without being asked for: `bi-mcp export | bi-mcp apply`."""
    piped = file is None and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    if file == "-" or piped:
        text = read_whole(sys.stdin)
        if text or file == "-":
            return "-", text
        # The program that should have written to the pipe may have failed; reading another file instead would be wrong.
        raise click.ClickException(
            say("Nothing was read: the pipe was empty. Name the file: {file}.", file=DEFAULT_FILE)
        )
    path = Path(file or DEFAULT_FILE)
    return str(path), read_existing(path)


def read_existing(path: Path) -> str:
    """The text of a file. A pipe that the shell made, as `plan <(…)` does, is read to its end."""
    try:
        if str(path).startswith(FILES_OF_THE_PROCESS) and not path.is_file():
            return decode_setup(path.read_bytes(), str(path))
    except OSError as error:
        raise click.ClickException(
            say(
                "{path} cannot be read ({strerror}). Name a file, or write - and pipe the setup in.",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    return read_setup_text(path, str(path), OF_A_COMMAND)


def check_folder(path: Path) -> None:
    """Refuse a file that cannot be created before the portal is read for it."""
    folder = link_target(path).parent
    if not folder.is_dir():
        raise click.ClickException(
            say(
                "{path} cannot be written: there is no folder {folder}. Make it, or name another file.",
                path=path,
                folder=folder,
            )
        )


def write_text(path: Path, text: str) -> None:
    """Replace a setup file."""
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise click.ClickException(
            say(
                "{path} cannot be written ({strerror}). Check that there is room and that you may write there, or name another file.",
                path=path,
                strerror=error.strerror,
            )
        ) from None


def keeper_of(app: App, file: str | None) -> StateKeeper:
    """The keeper of a file's state. Input from a pipe has no state file."""
    return keeper_at(Path(file) if file and file != "-" else None, app.portal.identity)
