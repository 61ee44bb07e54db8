"""The map of a portal as a standalone SVG: no script, no font and no address from outside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from bi_mcp.diagnostics.portal.portal_map import MARKS, MapNode, PortalMap, title_line
from bi_mcp.rest.kinds import KINDS

BOX_WIDTH = 250
BOX_HEIGHT = 26
ROW = 34
GAP = 70
MARGIN = 20
TOP = 74
# What a reader's pointer gets to see of an object's findings.
LONGEST_FINDING = 400

_STYLE = """
svg{--page:#fff;--ink:#1b1f24;--faint:#57606a;--line:#afb8c1;
--ok:#e6f4ea;--ok-line:#1e7d34;--note:#e8effa;--note-line:#2f5fa8;
--unchecked:#eceff1;--unchecked-line:#8a949d;--blocked:#eceff1;--blocked-line:#b3261e;
--warning:#fff4d6;--warning-line:#9a6a00;--error:#fde7e7;--error-line:#b3261e}
@media (prefers-color-scheme:dark){svg{--page:#0f1317;--ink:#e6e9ec;--faint:#9aa4ae;--line:#4b5560;
--ok:#11291a;--ok-line:#56b870;--note:#14233b;--note-line:#7fa8e6;
--unchecked:#22282e;--unchecked-line:#7d8791;--blocked:#22282e;--blocked-line:#f08c86;
--warning:#332600;--warning-line:#e0ac3a;--error:#3a1412;--error-line:#f08c86}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}
.faint{fill:var(--faint)}.head{font-weight:600}
path{fill:none;stroke:var(--line);stroke-width:1.5}
rect{stroke-width:1.5;rx:5px}
.ok rect{fill:var(--ok);stroke:var(--ok-line)}.note rect{fill:var(--note);stroke:var(--note-line)}
.unchecked rect{fill:var(--unchecked);stroke:var(--unchecked-line)}.blocked rect{fill:var(--blocked);stroke:var(--blocked-line)}
.warning rect{fill:var(--warning);stroke:var(--warning-line)}.error rect{fill:var(--error);stroke:var(--error-line)}
"""


def render_svg(portal_map: PortalMap) -> str:
    """Connectors, sources and datasets in three columns; at most `MAX_SHOWN` objects, the others are counted."""
    visible = portal_map.reduce()
    rows = _rows(visible.nodes)
    width = 2 * MARGIN + len(KINDS) * BOX_WIDTH + (len(KINDS) - 1) * GAP
    height = TOP + (max(rows.values(), default=0) + 1) * ROW + MARGIN
    by_key = {node.key: node for node in visible.nodes}
    edges = [_edge(by_key[node.parent], node, rows) for node in visible.nodes if node.parent]
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
            "<title>Map of the portal</title>",
            f"<style>{_STYLE}</style>",
            '<rect width="100%" height="100%" style="fill:var(--page)"/>',
            f'<text x="{MARGIN}" y="30" class="head">{escape(visible.summary())}</text>',
            *(
                f'<text x="{_x(place)}" y="58" class="faint">{kind}s</text>'
                for place, kind in enumerate(KINDS)
            ),
            *edges,
            *(_box(node, rows[node.key]) for node in visible.nodes),
            "</svg>\n",
        ]
    )


def _rows(nodes: list[MapNode]) -> Mapping[str, int]:
    """Give each object a row; the first child of an object shares its row."""
    rows = dict[str, int]()
    last = -1
    previous: str | None = None
    for node in nodes:
        if node.parent is None or node.parent != previous:
            last += 1
        rows[node.key] = last
        previous = node.key
    return rows


def _x(depth: int) -> int:
    return MARGIN + depth * (BOX_WIDTH + GAP)


def _edge(above: MapNode, node: MapNode, rows: Mapping[str, int]) -> str:
    start, end = _x(above.depth) + BOX_WIDTH, _x(node.depth)
    first, second = (TOP + rows[key] * ROW + BOX_HEIGHT // 2 for key in (above.key, node.key))
    middle = (start + end) // 2
    return f'<path d="M{start} {first}C{middle} {first} {middle} {second} {end} {second}"/>'


def _box(node: MapNode, row: int) -> str:
    state = f" · {node.label}" if node.label else ""
    lines = [f"{node.kind} {node.id}: {node.title}{state}"]
    lines += [
        title_line(f"{MARKS[finding.level]} {finding.what}", LONGEST_FINDING) for finding in node.findings
    ]
    said = escape("\n".join(lines))
    x, y = _x(node.depth), TOP + row * ROW
    # The inner svg cuts a title that is wider than its box.
    return (
        f'<g class="{node.level}"><title>{said}</title>'
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}"/>'
        f'<svg x="{x}" y="{y}" width="{BOX_WIDTH - 8}" height="{BOX_HEIGHT}"><text x="9" y="18">'
        f'{MARKS[node.level]} {escape(node.title)}<tspan class="faint"> · {node.id}{escape(state)}</tspan></text></svg></g>'
    )
