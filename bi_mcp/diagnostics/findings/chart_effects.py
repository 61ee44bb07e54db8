"""The effect of findings on a dataset's charts, as a person sees it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings.finding import Effect, Finding, worst
from bi_mcp.diagnostics.findings.folding import list_some

# In the order in which they are said; of columns where `{names}` stands.
_EFFECTS: Mapping[Effect, str] = {
    "no values": text("Charts of this dataset show no values for {names}."),
    "some values": text("Charts of this dataset leave out some values of {names}."),
    "letters": text("Charts of this dataset show broken letters in {names}."),
    "wrong": text("Charts of this dataset show wrong values."),
    "conditions": text("Charts of this dataset with a filter or a date range stay empty."),
    "filters": text("Charts of this dataset with a filter stay empty."),
    "dates": text("Charts of this dataset with a date range stay empty."),
    "at times": text("Charts of this dataset are empty at times."),
}


def describe_charts(findings: Sequence[Finding]) -> str:
    """Say what charts of a dataset show, as far as the findings tell; empty where they do not."""
    if any(finding.effect == "no data" for finding in findings):
        return say("Charts of this dataset show nothing.")
    said = list[str]()
    for effect, template in _EFFECTS.items():
        having = [finding for finding in findings if finding.effect == effect]
        names = dict.fromkeys(column.name for finding in having for column in finding.columns)
        if having and (names or "{names}" not in template):
            said.append(say(template, names=list_some(names)))
    if not said and worst(list(findings)) in {"ok", "note"}:
        return say("Charts of this dataset get their values.")
    return " ".join(said)
