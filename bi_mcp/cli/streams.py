"""The standard streams of a command: every sign that bi-mcp prints has a place in them, whatever the system's code page."""

from __future__ import annotations

import io
import sys
from typing import TextIO

import click

from bi_mcp.language import say


def use_utf8() -> None:
    """Files and pipes hold UTF-8, as the files that bi-mcp writes do; a terminal keeps its encoding and shows what it lacks as `?`."""
    if isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    for stream in (sys.stdout, sys.stderr):
        # None where a process has no such stream; a test's may be of another kind.
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8", errors=stream.errors)


def read_whole(file: TextIO) -> str:
    """Everything that an input holds. Raises `ClickException` where that is no text."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise click.ClickException(
            say("The input is not UTF-8 text. Save it as UTF-8, then try again.")
        ) from None
