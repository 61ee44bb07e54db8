"""How many tables were asked, for who waits at a terminal."""

from __future__ import annotations

import sys

import click

from bi_mcp.base.language import say


async def count_tables(made: float, of: float | None, _: str) -> None:
    """Count the tables on one line of a terminal."""
    if is_watched() and of and made == int(made):
        click.echo("\r" + say("{made:g} of {of:g} tables", made=made, of=of), nl=made == of, err=True)


def is_watched() -> bool:
    """Return whether somebody sees the count: in a log it would be noise."""
    return sys.stderr.isatty()
