"""The map of a portal as Mermaid text."""

from __future__ import annotations

from bi_mcp.base.language import say
from bi_mcp.diagnostics.portal.portal_map import MARKS, PortalMap

# Fixed pairs of ground and ink, legible on a light and on a dark page.
_CLASSES = {
    "ok": "fill:#e6f4ea,stroke:#1e7d34,color:#12301a",
    "unchecked": "fill:#eceff1,stroke:#6b757e,color:#2b3137",
    "blocked": "fill:#eceff1,stroke:#b3261e,color:#2b3137",
    "note": "fill:#e8effa,stroke:#2f5fa8,color:#14253f",
    "warning": "fill:#fff4d6,stroke:#9a6a00,color:#3a2900",
    "error": "fill:#fde7e7,stroke:#b3261e,color:#410e0b",
}
# What means nothing to Mermaid inside a quoted label.
_PLAIN = frozenset(" _-.,…")


def render_mermaid(portal_map: PortalMap) -> str:
    """A flowchart from connectors to datasets; at most `MAX_SHOWN` objects, the others are counted."""
    visible = portal_map.reduce()
    names = {node.key: f"{node.kind[0]}{node.id}" for node in visible.nodes}
    lines = ["flowchart LR"]
    for node in visible.nodes:
        title = escape(f"{node.title} ({node.label})" if node.label else node.title)
        label = f"{MARKS[node.level]} {node.kind} {node.id}: {title}"
        lines.append(f'  {names[node.key]}["{label}"]:::{node.level}')
    lines += [f"  {names[node.parent]} --> {names[node.key]}" for node in visible.nodes if node.parent]
    if visible.left_out:
        more = say("and {count} more", count=visible.left_out)
        lines.append(f'  more["{escape(more)}"]')
    lines += [f"  classDef {level} {style}" for level, style in _CLASSES.items()]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Every sign that could mean something becomes its number: a title must not become a part of the drawing."""
    return "".join(sign if sign.isalnum() or sign in _PLAIN else f"#{ord(sign)};" for sign in text)
