"""Whether `urlData` heeds `filter`: a value that some of the rows just read have is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeGuard

from bi_mcp.endpoints.answers import Rows

# An endpoint that ignores the filter begins with the row that began before, which does not have the value.
PROBED_ROWS = 10
MAX_VALUE = 60

Effect = Literal["heeded", "ignored", "finds nothing"]


class FilterProbe(NamedTuple):
    """A column and a value that it has in a row, and not in the first one."""

    code: str
    value: str | int

    @property
    def filters(self) -> list[dict[str, object]]:
        """Both spellings of equality: who knows either of them heeds filters."""
        return [{f"={self.code}": self.value}, {self.code: self.value}]

    def effect(self, rows: Sequence[Sequence[object]]) -> Effect:
        """What the answer to a filter shows. `rows` hold this one column."""
        if not rows:
            return "finds nothing"
        wanted = _plain(self.value)
        return "heeded" if all(row and _plain(row[0]) == wanted for row in rows) else "ignored"


def choose_probe(rows: Rows, codes: Sequence[str]) -> FilterProbe | None:
    """The first described column in which a later row differs from the first by more than spelling; None when there is none."""
    whole = [row for row in rows.rows if len(row) == len(rows.header)]
    for place, code in enumerate(rows.header):
        if code not in codes or not whole:
            continue
        first = whole[0][place]
        for row in whole[1:]:
            value = row[place]
            if _comparable(first) and _comparable(value) and _plain(value) != _plain(first):
                return FilterProbe(code, value)
    return None


def _comparable(value: object) -> TypeGuard[str | int]:
    """Numbers with a fraction and moments may be rounded or spelt otherwise on the way; short words and whole numbers are not."""
    if isinstance(value, str):
        return 0 < len(value) <= MAX_VALUE and value == value.strip() and value.isprintable()
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(value: object) -> str:
    # Databases compare texts without regard to case and spaces at the end.
    return str(value).strip().casefold()
