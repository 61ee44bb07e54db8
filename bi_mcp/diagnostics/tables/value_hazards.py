"""Values that Bitrix24 takes and that break charts later: dates of the year one, and letters that were lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from bi_mcp.diagnostics.findings import chart_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding, Kind
from bi_mcp.diagnostics.tables.values import show_value
from bi_mcp.endpoints.dates import read_iso
from bi_mcp.endpoints.operators import DATES

# Section 3 of the reference of requests.
EARLIEST = date(1900, 1, 1)
LOST_LETTER = "\ufffd"


class Hazard(NamedTuple):
    """A danger in a column: the number of its dangerous values, and one of them."""

    kind: Kind
    dangerous: int
    filled: int
    value: str

    def finding(self, where: str, column: str) -> Finding:
        """Make the finding. The texts are quoted unchanged: the caller masks values of the connection."""
        return self.kind.finding(
            where, column=column, count=self.dangerous, filled=self.filled, value=self.value
        )


def find_hazards(values: Sequence[object], type_: str) -> Iterator[Hazard]:
    """Look through a column's sampled values."""
    filled = [value for value in values if value not in (None, "")]
    texts = [value for value in filled if isinstance(value, str)]
    found = {rules.REPLACEMENT_CHARACTERS: [value for value in texts if LOST_LETTER in value]}
    if type_ in DATES:
        found[rules.DATES_TOO_EARLY] = [
            value for value in texts if (read_iso(value[:10]) or date.max) <= EARLIEST
        ]
    for kind, dangerous in found.items():
        if dangerous:
            yield Hazard(kind, len(dangerous), len(filled), show_value(dangerous[0]))
