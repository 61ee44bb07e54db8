"""Reasons why a chart stays empty. The user of BI Builder sees none of them; here they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FailureKind = Literal[
    "inactive",
    "unreachable",
    "timeout",
    "too_large",
    "status",
    "no_body",
    "not_json",
    "not_rows",
    "no_header",
    "codes_in_header",
    "names_in_header",
    "columns_missing",
    "ragged",
    "old_date",
]

_REASONS: Mapping[FailureKind, str] = {
    "inactive": "The source is inactive, and so the portal does not call its connector.",
    "unreachable": "The connector could not be reached at its urlData.",
    "timeout": "The connector did not answer within {seconds} seconds.",
    "too_large": "The answer has more than {megabytes} MB.",
    "status": "The connector answered HTTP {status}. The portal takes HTTP 200 alone and cannot connect.",
    "no_body": "The connector answered an empty body or 0, and the portal cannot connect.",
    "not_json": "The answer is not JSON.",
    "not_rows": "The answer is not a list of rows, each of them a list of plain values.",
    "no_header": "The answer has no first row, and so nothing names the columns.",
    "codes_in_header": "Row 1 holds external codes. This portal passes it on as it is, and BI Builder asked for {columns}.",
    "names_in_header": "Row 1 holds names. This portal looks there for the external codes of {columns}.",
    "columns_missing": "Row 1 does not name {columns}.",
    "ragged": "Row {row} has {count} values, and row 1 has {expected}.",
    "old_date": "Row {row} holds {value} in {column}. Dates at or before 1900-01-01 break the engine of BI Builder.",
}


@dataclass(frozen=True)
class ChartFailure:
    """One reason, with the values that its text names. Rows are counted from 1, the header."""

    kind: FailureKind
    values: Mapping[str, str | int]

    @property
    def reason(self) -> str:
        """The reason as one sentence."""
        return _REASONS[self.kind].format(**self.values)


class ChartFailureError(Exception):
    """A chart that stays empty."""

    def __init__(self, kind: FailureKind, **values: str | int) -> None:
        self.failure = ChartFailure(kind, values)
        super().__init__(self.failure.reason)
