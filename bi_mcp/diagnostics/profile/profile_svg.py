"""The profile of a dataset as a standalone SVG: no script, no font and no address from outside."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bi_mcp.base.language import say
from bi_mcp.diagnostics.profile.chart_svg import draw_bars, draw_chart, height_of
from bi_mcp.diagnostics.profile.number_text import write_number
from bi_mcp.diagnostics.profile.profile import ColumnProfile, DatasetProfile
from bi_mcp.diagnostics.profile.profile_text import describe_column, ends_of, facts_of, say_step
from bi_mcp.diagnostics.profile.svg_text import svg_text

WIDTH = 720
MARGIN = 20
INNER = WIDTH - 2 * MARGIN
ROW = 66
FACTS_AT = 190
PICTURE_AT = 440
PICTURE_WIDTH = WIDTH - MARGIN - PICTURE_AT
# Of a wide table, as many columns as can be read.
TABLE_COLUMNS = 6
TABLE_ROW = 24
SHOWN_COMMON = 3
SHOWN_BREACHES = 5

_STYLE = """
svg{--page:#fff;--ink:#1b1f24;--faint:#57606a;--line:#d0d7de;--bar:#2f6fb8}
@media (prefers-color-scheme:dark){svg{--page:#0f1317;--ink:#e6e9ec;--faint:#9aa4ae;--line:#333c45;--bar:#6ea8e6}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}
.faint{fill:var(--faint);font-size:12px}.head{font-weight:600}.title{font-weight:600;font-size:16px}
.end{text-anchor:end}.middle{text-anchor:middle}
.bar{fill:var(--bar)}line{stroke:var(--line);stroke-width:1}
"""


def render_svg(profile: DatasetProfile) -> str:
    """The first chart, a row per column, and the first rows below one another."""
    parts = [*_head(profile)]
    top = 88
    for breach in profile.breaches[:SHOWN_BREACHES]:
        parts.append(svg_text(MARGIN, top - 14, f"! {breach}", "faint", width=INNER))
        top += 18
    if profile.chart:
        parts += draw_chart(profile.chart, MARGIN, top, INNER)
        top += height_of(profile.chart) + 24
    parts.append(svg_text(MARGIN, top, say("Columns"), "head"))
    top += 12
    for column in profile.columns:
        parts += _column(column, profile.counted, top)
        top += ROW
    if profile.left_out:
        parts.append(svg_text(MARGIN, top + 18, profile.remainder(), "faint"))
        top += 28
    parts += _first_rows(profile, top + 30)
    height = top + 30 + (len(profile.first_rows) + 1) * TABLE_ROW + MARGIN
    described = "\n".join(describe_column(column, profile.counted) for column in profile.columns)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(_title(profile))}</title>',
            f'<desc id="desc">{escape(profile.scope())}\n{escape(described)}</desc>',
            f"<style>{_STYLE}</style>",
            '<rect width="100%" height="100%" style="fill:var(--page)"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _title(profile: DatasetProfile) -> str:
    return say("Profile of dataset {id}: {name}", id=profile.id, name=profile.name)


def _head(profile: DatasetProfile) -> Iterator[str]:
    yield svg_text(MARGIN, 32, _title(profile), "title", width=INNER)
    yield svg_text(MARGIN, 54, profile.scope(), "faint")


def _column(column: ColumnProfile, rows: int, top: int) -> Iterator[str]:
    yield f'<g><title>{escape(describe_column(column, rows))}</title><line x1="{MARGIN}" y1="{top}" x2="{WIDTH - MARGIN}" y2="{top}"/>'
    yield svg_text(MARGIN, top + 22, column.name, "head", width=FACTS_AT - MARGIN - 10)
    yield svg_text(MARGIN, top + 40, column.type, "faint")
    for number, fact in enumerate(facts_of(column, rows)):
        yield svg_text(FACTS_AT, top + 18 + 15 * number, fact, "faint", width=PICTURE_AT - FACTS_AT - 14)
    if column.histogram:
        yield draw_bars(column.histogram.counts, PICTURE_AT, top + 8, PICTURE_WIDTH, 34)
        least, greatest = ends_of(column.histogram)
        yield svg_text(PICTURE_AT, top + 58, least, "faint")
        yield svg_text(PICTURE_AT + PICTURE_WIDTH / 2, top + 58, say_step(column.histogram), "faint middle")
        yield svg_text(WIDTH - MARGIN, top + 58, greatest, "faint end")
    elif column.common and column.distinct > 1:
        yield from _common(column, top)
    yield "</g>"


def _common(column: ColumnProfile, top: int) -> Iterator[str]:
    common = (column.common or [])[:SHOWN_COMMON]
    most = max(each.count for each in common)
    for number, each in enumerate(common):
        y = top + 18 + 17 * number
        length = max(2, round(70 * each.count / most))
        yield svg_text(PICTURE_AT, y, each.value, "faint", width=130)
        yield f'<rect class="bar" x="{PICTURE_AT + 136}" y="{y - 9}" width="{length}" height="10"/>'
        yield svg_text(WIDTH - MARGIN, y, write_number(each.count), "faint end")


def _first_rows(profile: DatasetProfile, top: int) -> Iterator[str]:
    columns = profile.columns[:TABLE_COLUMNS]
    width = INNER // max(1, len(columns))
    yield svg_text(MARGIN, top - 8, say("First rows"), "head")
    for place, column in enumerate(columns):
        yield svg_text(MARGIN + place * width, top + 14, column.name, "faint", width=width - 10)
    for number, row in enumerate(profile.first_rows, 1):
        y = top + number * TABLE_ROW
        yield f'<line x1="{MARGIN}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}"/>'
        for place, value in enumerate(row[:TABLE_COLUMNS]):
            yield svg_text(MARGIN + place * width, y + 17, value or "", "", width=width - 10)
