"""The command with which a client changes its servers itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from bi_mcp.base.language import say


def find_program(name: str) -> str | None:
    """The path of a program on PATH, None for one in the current folder: Windows looks there first, and a cloned project may hold anything."""
    program = shutil.which(name)
    if program is None or Path(program).parent.resolve() == Path.cwd().resolve():
        return None
    return program


def find_command(command: Sequence[str]) -> list[str] | None:
    """The command with the full path of its program; None if there is no such command or its program is not on PATH.

    A batch file of Windows does not count: its interpreter would read the JSON of the arguments as syntax of its own.
    """
    program = find_program(command[0]) if command else None
    if program is None or Path(program).suffix.lower() in {".bat", ".cmd"}:
        return None
    return [program, *command[1:]]


def run_command(command: Sequence[str]) -> None:
    """Run the command. Raises `ClickException` with its output if it fails."""
    # Imported here: an entry in a file needs no other program.
    import subprocess

    finished = subprocess.run(  # noqa: S603  the client's program, with arguments that the user has seen
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if finished.returncode:
        raise click.ClickException(
            say(
                "{program} failed with status {status}. Correct what it says, or add what --print shows to the client's file.\n{output}",
                program=command[0],
                status=finished.returncode,
                output=finished.stdout.strip(),
            )
        )
