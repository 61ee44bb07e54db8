"""Texts from outside with their places, as a search for orders in them takes them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple


class ForeignText(NamedTuple):
    """A text from outside and its place. `is_name`: of an object or a column, where an address is out of place."""

    where: str
    text: str
    is_name: bool = False


def texts_of_header(header: Sequence[str]) -> Iterator[ForeignText]:
    """The names of columns."""
    return (ForeignText(f"header {name}", name, is_name=True) for name in header)


def texts_of_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[ForeignText]:
    """The texts in rows, each under its column."""
    for number, row in enumerate(rows, 1):
        for name, value in zip_longest(header, row[: len(header)], fillvalue=""):
            if isinstance(value, str) and value:
                yield ForeignText(f"row {number}, {name}", value)
