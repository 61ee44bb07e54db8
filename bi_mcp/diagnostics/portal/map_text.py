"""The map of a portal as indented lines."""

from __future__ import annotations

import json

from bi_mcp.diagnostics.portal.portal_map import MARKS, MapNode, PortalMap, title_line

LONGEST_FINDING = 400


def render_tree(portal_map: PortalMap) -> str:
    """Render a line per object with its state, its findings and their repairs; at most `MAX_SHOWN` objects, the others are counted."""
    visible = portal_map.reduce()
    return "\n".join([visible.summary(), *render_lines(visible)])


def render_lines(visible: PortalMap) -> list[str]:
    """Render the objects without the summary above them."""
    return [*(_line(node) for node in visible.nodes), *filter(None, [visible.advice()])]


def _line(node: MapNode) -> str:
    title = json.dumps(node.title, ensure_ascii=False)
    findings = [f"{finding.what} {finding.advice}".rstrip() for finding in node.findings]
    said = "".join(f": {title_line(text, LONGEST_FINDING)}" for text in findings[:1])
    more = "".join(f" {title_line(text, LONGEST_FINDING)}" for text in findings[1:])
    state = f" ({node.label})" if node.label else ""
    return f"{'  ' * node.depth}{MARKS[node.level]} {node.kind} {node.id} {title}{state}{said}{more}"
