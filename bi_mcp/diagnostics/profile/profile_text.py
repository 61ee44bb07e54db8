"""The profile of a dataset as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bi_mcp.base.language import say
from bi_mcp.diagnostics.profile.number_text import write_label, write_number, write_share
from bi_mcp.diagnostics.profile.profile import ColumnProfile, DatasetProfile, FirstChart, Histogram
from bi_mcp.diagnostics.profile.time_steps import word_step

_HEIGHTS = "▁▂▃▄▅▆▇█"
LONGEST_BAR = 24


def render_text(profile: DatasetProfile) -> str:
    """A line per column, the first chart, and the first rows."""
    return "\n".join(
        [
            profile.scope(),
            *(f"! {breach}" for breach in profile.breaches),
            "",
            *(describe_column(column, profile.counted) for column in profile.columns),
            *filter(None, [profile.remainder()]),
            *_chart(profile.chart),
            "",
            say("First rows"),
            _row(column.name for column in profile.columns),
            *map(_row, profile.first_rows),
        ]
    )


def describe_column(column: ColumnProfile, rows: int) -> str:
    """Describe a column in a line."""
    return f"{column.name} ({column.type}): {'; '.join([*facts_of(column, rows), *_spread(column)])}"


def facts_of(column: ColumnProfile, rows: int) -> list[str]:
    """What is counted of a column, in words."""
    if column.missing:
        return [say("missing in the connector's answer")]
    facts = [say("{share} empty", share=write_share(column.empty, rows))]
    if column.unfit:
        facts.append(say("{share} not {type}", share=write_share(column.unfit, rows), type=column.type))
    facts.append(say("{count} distinct", count=write_number(column.distinct)))
    if column.least is not None and column.greatest is not None:
        least, greatest = write_label(column.least), write_label(column.greatest)
        facts.append(f"{least} … {greatest}" if least != greatest else say("only {value}", value=least))
    return facts


def _spread(column: ColumnProfile) -> Iterator[str]:
    if column.histogram:
        least, greatest = ends_of(column.histogram)
        yield f"{say_step(column.histogram)} {least} {draw_line(column.histogram.counts)} {greatest}"
    elif column.common and column.distinct > 1:
        common = ", ".join(f"{each.value} {write_number(each.count)}" for each in column.common)
        yield say("commonest: {values}", values=common)


def say_step(histogram: Histogram) -> str:
    """Say how wide the bars of a histogram are and where they begin."""
    if isinstance(histogram.step, str):
        return word_step(histogram.step)
    return say("by {step}", step=write_number(histogram.step))


def ends_of(histogram: Histogram) -> tuple[str, str]:
    """Write where the bars of a histogram begin and end; on a time axis, where the last one begins."""
    first, last = histogram.starts[0], histogram.starts[-1]
    if isinstance(last, str) or isinstance(histogram.step, str):
        return write_label(first), write_label(last)
    return write_label(first), write_number(last + histogram.step)


def draw_line(counts: Sequence[int | float]) -> str:
    """Draw bars of one sign each. What is not nothing is visible."""
    most = max(counts)
    return "".join(_HEIGHTS[min(7, int(8 * count / most))] if count > 0 else " " for count in counts)


def _chart(chart: FirstChart | None) -> Iterator[str]:
    if chart is None:
        return
    yield ""
    yield say("First chart: {title}", title=chart.title())
    labels = [write_label(label) for label in chart.labels]
    widest = max(map(len, labels))
    most = max(map(abs, chart.values)) or 1
    for label, value in zip(labels, chart.values, strict=True):
        bar = "█" * round(LONGEST_BAR * max(value, 0) / most)
        yield f"  {label.ljust(widest)} {bar} {write_number(value)}"


def _row(values: Iterable[str | None]) -> str:
    """Join values in a line that begins with a sign of ours: none of theirs looks like a sentence of ours."""
    return f"| {' | '.join((value or '').replace('|', '¦') for value in values)}"
