"""The header of `urlData`, compared with the description of the table."""

from __future__ import annotations

from collections.abc import Sequence

from bi_mcp.base.language import say
from bi_mcp.endpoints.answers import Breach, BreachLog, Columns, Rule

# The rules whose breach loses an element of the description.
LOSING = frozenset[Rule]({"element_not_object", "empty_code", "empty_name", "empty_type", "zero_as_text"})


def compare_header(header: Sequence[str], described: Columns | None) -> list[Breach]:
    """Compare the header of an answer to a call without `select` with the codes of `urlTableDescription`.

    If the description could not be read in full, columns that it lacks are not held against the header.
    """
    if not header or described is None or not described.items:
        return []
    codes = [column.code for column in described.items]
    missing = [code for code in codes if code not in header]
    if len(missing) == len(codes):
        return [Breach("header_missing", say("row 1"), say("none of the described codes is in it"))]
    breaches = BreachLog()
    for code in missing:
        breaches.add("column_missing", say("row 1"), code)
    if not described.truncated and LOSING.isdisjoint(breach.rule for breach in described.breaches):
        for code in header:
            if code and code not in codes:
                breaches.add("column_undescribed", say("row 1"), code)
    return breaches.all_breaches()
