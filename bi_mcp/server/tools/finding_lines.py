"""Findings as lines: faster to read than JSON, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.portal_map import MARKS
from bi_mcp.server.tools.answer_size import compact


def describe_findings(findings: Sequence[dict[str, Any]]) -> list[str]:
    """The lines for the findings of an answer's structured content."""
    return [line for finding in findings for line in _lines(finding)]


def _lines(content: dict[str, Any]) -> Iterator[str]:
    finding = Finding.model_validate(content)
    yield f"{MARKS[finding.level]} {finding.where}: {finding.what} [{finding.code}]"
    if finding.advice:
        yield f"  {finding.advice}"
    yield from (f"  {line}" for line in offer_calls(finding))


def offer_calls(finding: Finding) -> list[str]:
    """A line for each call that a finding offers."""
    return [tell_call(call) for call in finding.offered]


def tell_call(call: Mapping[str, object]) -> str:
    """The call, to be made unchanged."""
    return f"Call: {compact(call)}"
