"""Bars in an SVG: of a histogram, and of the first chart with its axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bi_mcp.diagnostics.profile.number_text import write_label, write_number
from bi_mcp.diagnostics.profile.profile import FirstChart
from bi_mcp.diagnostics.profile.svg_text import svg_text

PLOT = 150
LINE = 22
LABEL_WIDTH = 150
COUNT_WIDTH = 60


def height_of(chart: FirstChart) -> int:
    """Return how high `draw_chart` draws."""
    return 56 + PLOT if chart.kind == "time" else 20 + LINE * len(chart.values)


def draw_chart(chart: FirstChart, x: int, y: int, width: int) -> Iterator[str]:
    """Draw the first chart: columns over time, or lines of values."""
    yield svg_text(x, y, chart.title(), "head", width=width)
    yield from (
        _over_time(chart, x, y + 30, width) if chart.kind == "time" else _lines(chart, x, y + 14, width)
    )


def draw_bars(
    values: Sequence[int | float], x: float, y: float, width: float, height: float, labels: Sequence[str] = ()
) -> str:
    """Draw columns on a line at zero; negative ones hang from it. What is not zero is visible."""
    top, bottom = max(0, *values), min(0, *values)
    span = (top - bottom) or 1
    zero = y + height * top / span
    slot = width / len(values)
    bars = []
    for number, value in enumerate(values):
        tall = max(1.5, height * abs(value) / span) if value else 0
        above = zero - tall if value > 0 else zero
        title = f"<title>{escape(labels[number])}</title>" if labels else ""
        place = (
            f'x="{x + number * slot:.1f}" y="{above:.1f}" width="{max(1, slot - 2):.1f}" height="{tall:.1f}"'
        )
        bars.append(f'<rect class="bar" {place}>{title}</rect>')
    axis = f'<line x1="{x:g}" y1="{zero:.1f}" x2="{x + width:g}" y2="{zero:.1f}"/>'
    return "".join([*bars, axis])


def _over_time(chart: FirstChart, x: int, y: int, width: int) -> Iterator[str]:
    labels = [
        f"{write_label(label)}: {write_number(value)}"
        for label, value in zip(chart.labels, chart.values, strict=True)
    ]
    top, bottom = max(0, *chart.values), min(0, *chart.values)
    yield svg_text(x, y - 4, write_number(top), "faint")
    yield draw_bars(chart.values, x, y, width, PLOT, labels)
    yield f'<line x1="{x}" y1="{y}" x2="{x + width}" y2="{y}" stroke-dasharray="2 4"/>'
    below = y + PLOT + 18
    if bottom < 0:
        yield svg_text(x + width, y + PLOT - 4, write_number(bottom), "faint end")
    yield svg_text(x, below, write_label(chart.labels[0]), "faint")
    if len(chart.labels) > 2:
        middle = len(chart.labels) // 2
        at = x + width * (middle + 0.5) / len(chart.labels)
        yield svg_text(at, below, write_label(chart.labels[middle]), "faint middle")
    yield svg_text(x + width, below, write_label(chart.labels[-1]), "faint end")


def _lines(chart: FirstChart, x: int, y: int, width: int) -> Iterator[str]:
    most = max(map(abs, chart.values)) or 1
    room = width - LABEL_WIDTH - COUNT_WIDTH
    for number, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        top = y + number * LINE
        length = max(2, room * abs(value) / most)
        yield svg_text(x, top + 14, write_label(label), "", width=LABEL_WIDTH - 10)
        yield f'<rect class="bar" x="{x + LABEL_WIDTH}" y="{top + 3}" width="{length:.1f}" height="14"/>'
        yield svg_text(x + width, top + 14, write_number(value), "faint end")
