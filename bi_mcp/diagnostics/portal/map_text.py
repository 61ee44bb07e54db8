"""The map of a portal as indented lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.portal_map import MARKS, MapNode, PortalMap, title_line

# Longer than any finding of one object; those of many objects list the first.
LONGEST_FINDING = 1_500
_OBJECT = re.compile(r"(connector|source|dataset) \d+", re.ASCII)

# The calls of a finding in words: each door has its own, or none.
Offer = Callable[[Finding], Sequence[str]]


def render_tree(portal_map: PortalMap) -> str:
    """Render a line per object with its state, its findings and their repairs; at most `MAX_SHOWN` objects, the others are counted."""
    visible = portal_map.reduce()
    return "\n".join([visible.summary(), *render_lines(visible)])


def render_lines(visible: PortalMap, offer: Offer = lambda _: ()) -> list[str]:
    """Render the objects without the summary above them. Advice that several findings share is said once."""
    said = set[str]()
    lines = [line for node in visible.nodes for line in _lines(node, offer, said)]
    return [*lines, *filter(None, [visible.advice()])]


def _lines(node: MapNode, offer: Offer, said: set[str]) -> Iterator[str]:
    indent = "  " * node.depth
    title = json.dumps(node.title, ensure_ascii=False)
    host = f" ({node.host})" if node.host else ""
    # That much is not checked, the mark and the summary say.
    state = f" ({node.label})" if node.level == "blocked" else ""
    head = f"{indent}{MARKS[node.level]} {node.kind} {node.id} {title}{host}{state}"
    # What a fault above causes is told there.
    findings = node.findings if node.level != "blocked" else []
    if not findings:
        yield head
    for number, finding in enumerate(findings):
        beginning = f"{indent}  {MARKS[finding.level]}" if number else f"{head}:"
        yield f"{beginning} {_told(finding, said)}"
        yield from (f"{indent}  {line}" for line in offer(finding))


def _told(finding: Finding, said: set[str]) -> str:
    place = "" if _OBJECT.fullmatch(finding.where) else f"{finding.where}: "
    advice = finding.advice if finding.advice not in said else ""
    said.add(finding.advice)
    text = f"{place}{finding.what} {advice}".rstrip()
    line = title_line(text, len(text))
    return line if len(line) <= LONGEST_FINDING else f"{line[:LONGEST_FINDING].rpartition(' ')[0]} …"
