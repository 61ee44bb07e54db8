"""A line of text in an SVG."""

from __future__ import annotations

from html import escape


def svg_text(x: float, y: float, text: str, style: str, *, width: float | None = None) -> str:
    """Write a text on a line; what is wider than `width` is cut at its end."""
    names = f' class="{style}"' if style else ""
    if width is None:
        return f'<text x="{x:g}" y="{y:g}"{names}>{escape(text)}</text>'
    # The inner svg cuts, as a text cannot.
    return f'<svg x="{x:g}" y="{y - 16:g}" width="{width:g}" height="22"><text x="0" y="16"{names}>{escape(text)}</text></svg>'
