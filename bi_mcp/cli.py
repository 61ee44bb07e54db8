"""The command line: parses and prints, decides nothing."""

from __future__ import annotations

import click

from bi_mcp import __version__


@click.group()
@click.version_option(__version__, prog_name="bi-mcp")
def main() -> None:
    """Configure Bitrix24 BI connections from an assistant."""
