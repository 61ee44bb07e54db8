"""Rows of a table in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import zip_longest

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bi_mcp.base.language import say
from bi_mcp.config import width_is_chosen

# A line this wide is for programs, which find all of an entry in it.
_WIDTH_OF_A_PIPE = 2000


def open_console() -> Console:
    """A console as wide as the terminal, or as `COLUMNS` says; a pipe gets each entry on one line, for `grep`."""
    if sys.stdout.isatty() or width_is_chosen():
        return Console()
    return Console(width=_WIDTH_OF_A_PIPE)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, or a line per value where it would be too wide."""
    # Text, because strings from outside must not be read as markup.
    cells = [[Text("" if value is None else str(value)) for value in row] for row in rows]
    console = open_console()
    columns = zip_longest(header, *rows, fillvalue="")
    widths = [max(cell_len(str(value)) for value in column) for column in columns]
    if sum(width + 3 for width in widths) > console.width:
        print_records(console, header, cells)
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for name in header:
        table.add_column(Text(name))
    for row in cells:
        table.add_row(*row)
    console.print(table)


def print_records(console: Console, header: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """A line per value: in a table too wide for the terminal no value could be read."""
    for number, row in enumerate(rows, 1):
        table = Table(box=None, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in zip_longest(header, row, fillvalue=""):
            table.add_row(Text(str(name)), value)
        console.print(say("Row {number}", number=number), table, sep="\n")
