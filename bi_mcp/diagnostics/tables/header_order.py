"""Repair of a header whose codes are in another order than the values below it, so that every column seems to be of a wrong type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bi_mcp.diagnostics.tables.external import Sample
from bi_mcp.diagnostics.tables.values import judge
from bi_mcp.rest.models import Column


def reorder_header(sample: Sample, columns: Sequence[Column]) -> Sample | None:
    """The sample under a header in the order of `select`, where the values suit that order alone; else None."""
    selected = list(sample.selected)
    if sample.codes == selected or sorted(sample.codes) != sorted(selected):
        return None
    spelled = dict(zip(sample.codes, sample.header, strict=True))
    other = replace(sample, header=[spelled[code] for code in selected])
    return other if _offences(sample, columns) and not _offences(other, columns) else None


def _offences(sample: Sample, columns: Sequence[Column]) -> int:
    return sum(
        judge(sample.columns.get(column.external_code or "", ()), column.type or "string").count
        for column in columns
    )
