"""The standard streams of a command: every character that bi-mcp prints can be encoded, whatever the system's code page."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import click

from bi_mcp.base.language import say

_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})


@contextmanager
def room_for_output() -> Iterator[None]:
    """End with a readable error if the output goes to a full disk. Files that the command writes have errors of their own."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        click.echo(
            say(
                "Error: the output cannot be written ({strerror}). Make room where it goes, then run it again.",
                strerror=error.strerror,
            ),
            err=True,
        )
        _drop_output()
        sys.exit(1)


def _drop_output() -> None:
    """Drop buffered output. It would fail again, with an error message, when Python ends."""
    with suppress(OSError, ValueError, AttributeError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


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
    """Read everything that an input holds. Raises `ClickException` if it is not text."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise click.ClickException(
            say("The input is not UTF-8 text. Save it as UTF-8, then try again.")
        ) from None
