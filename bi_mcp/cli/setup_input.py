"""The setup file of a command: a file with its state beside it, a pipe, or standard input."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bi_mcp.cli.streams import read_whole
from bi_mcp.language import say

if TYPE_CHECKING:
    from bi_mcp.tools.app import App
    from bi_mcp.workspace.setup import Setup
    from bi_mcp.workspace.state_file import StateKeeper

DEFAULT_FILE = "bi.yaml"


def read_file(
    app: App, file: str | None, urls: tuple[str, ...], secrets: tuple[str, ...]
) -> tuple[Setup, StateKeeper]:
    """The setup of a file, mapped as the options say, and where its state is kept."""
    from bi_mcp.workspace.file import read_setup
    from bi_mcp.workspace.mapping import Mapped, read_pairs

    name, text = read_text(file)
    mapped = Mapped(read_pairs(urls, "--map-url"), read_pairs(secrets, "--map-secret"))
    return mapped.of(read_setup(text, name)), keeper_of(app, name)


def read_text(file: str | None) -> tuple[str, str]:
    """The name and the text of a file. A pipe is read without being asked for: `bi-mcp export | bi-mcp apply`."""
    piped = file is None and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    if file == "-" or piped:
        text = read_whole(sys.stdin)
        if text or file == "-":
            return "-", text
        # What should have written into it may have failed; another file is not what was meant.
        raise click.ClickException(
            say("Nothing was read: nothing came through the pipe. Name the file: {file}.", file=DEFAULT_FILE)
        )
    path = Path(file or DEFAULT_FILE)
    try:
        return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(
            say(
                "{path} cannot be read ({name}). Write one with `bi-mcp export {path}`.",
                path=path,
                name=type(error).__name__,
            )
        ) from None


def write_text(path: Path, text: str) -> None:
    """Replace a setup file."""
    from bi_mcp.whole_file import replace_file

    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise click.ClickException(
            say("{path} cannot be written ({strerror}).", path=path, strerror=error.strerror)
        ) from None


def keeper_of(app: App, file: str | None) -> StateKeeper:
    """Where the state of a file is kept. A pipe has none beside it."""
    from bi_mcp.workspace.state_file import keeper_at

    return keeper_at(Path(file) if file and file != "-" else None, app.portal.identity)
