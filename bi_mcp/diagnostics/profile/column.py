"""The profile of one column. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bi_mcp.diagnostics.profile.cells import Family, MisfitError, Value, family_of, read_cell
from bi_mcp.diagnostics.profile.histogram import count_numbers, count_times
from bi_mcp.diagnostics.profile.profile import ColumnProfile, Common
from bi_mcp.diagnostics.tables.values import show_value

MOST_COMMON = 6
# Beyond this, a reader of JSON that has only doubles would show another number.
EXACT = 2**53


@dataclass(frozen=True)
class ReadColumn:
    """A column with its values in the order of the rows. None: missing, or not of the type; `unfit` counts those."""

    name: str
    type: str
    values: Sequence[Value | None]
    unfit: int

    @property
    def family(self) -> Family:
        """How its values are counted."""
        return family_of(self.type)

    @property
    def filled(self) -> list[Value]:
        """The values that are there."""
        return [value for value in self.values if value is not None]

    @property
    def numbers(self) -> list[int | float]:
        """Those of the values that are numbers."""
        return [value for value in self.values if isinstance(value, int | float)]

    @property
    def moments(self) -> list[datetime]:
        """Those of the values that are days or moments."""
        return [value for value in self.values if isinstance(value, datetime)]

    @property
    def distinct(self) -> int:
        """The number of different values."""
        return len(set(self.filled))


class _Read(NamedTuple):
    value: Value | None
    fits: bool


def read_column(name: str, type_: str, values: Sequence[object]) -> ReadColumn:
    """Read a column's values by its type."""
    read = [_read(value, type_) for value in values]
    return ReadColumn(name, type_, [cell.value for cell in read], sum(not cell.fits for cell in read))


def profile_column(column: ReadColumn) -> ColumnProfile:
    """Count what is in a column."""
    filled = column.filled
    profile = ColumnProfile(
        name=show_value(column.name),
        type=column.type,
        empty=len(column.values) - len(filled) - column.unfit,
        unfit=column.unfit,
        distinct=column.distinct,
    )
    if not filled:
        return profile
    numbers = column.numbers
    times = column.moments
    texts = [value for value in filled if isinstance(value, str)]
    ends: Sequence[Value] = (
        (min(numbers), max(numbers))
        if numbers
        else (min(times), max(times))
        if times
        else (min(texts), max(texts))
    )
    days = column.type == "date"
    return profile.model_copy(
        update={
            "least": show_end(ends[0], days=days),
            "greatest": show_end(ends[1], days=days),
            "histogram": count_numbers(numbers) or count_times(times, days=days),
            "common": count_common(texts) if column.distinct < len(texts) else None,
        }
    )


def count_common(texts: Sequence[str], most: int = MOST_COMMON) -> list[Common]:
    """Count the commonest texts, of equally common ones those that come first."""
    return [Common(value=show_value(text), count=count) for text, count in Counter(texts).most_common(most)]


def show_end(value: Value, *, days: bool) -> int | float | str:
    """Show a least or greatest value: times as ISO texts, and as text too what a double does not hold."""
    if isinstance(value, datetime):
        return value.date().isoformat() if days else value.isoformat(" ")
    if isinstance(value, int) and abs(value) > EXACT:
        return str(value)
    return show_value(value) if isinstance(value, str) else value


def _read(value: object, type_: str) -> _Read:
    try:
        return _Read(read_cell(value, type_), fits=True)
    except MisfitError:
        return _Read(None, fits=False)
