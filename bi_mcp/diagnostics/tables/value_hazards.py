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
    checks = [(rules.REPLACEMENT_CHARACTERS, _lost_a_letter)]
    if type_ in DATES:
        checks.append((rules.DATES_TOO_EARLY, _is_too_early))
    for kind, is_dangerous in checks:
        dangerous = [value for value in filled if is_dangerous(value)]
        if dangerous:
            yield Hazard(kind, len(dangerous), len(filled), show_value(dangerous[0]))


def _is_too_early(value: object) -> bool:
    moment = read_iso(value[:10]) if isinstance(value, str) else None
    return moment is not None and moment <= EARLIEST


def _lost_a_letter(value: object) -> bool:
    return isinstance(value, str) and LOST_LETTER in value
