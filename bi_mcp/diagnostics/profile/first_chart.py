"""A first chart of a dataset: a measure over time, else the commonest values. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bi_mcp.diagnostics.profile.column import ReadColumn, count_common
from bi_mcp.diagnostics.profile.histogram import MOST_BARS, starts_of
from bi_mcp.diagnostics.profile.profile import FirstChart
from bi_mcp.diagnostics.profile.time_steps import TimeStep, choose_step
from bi_mcp.diagnostics.tables.values import show_value

MOST_VALUES = 10
# A sum of numbers of these types says something more often than one of whole numbers, which may be codes.
MEASURES = ("money", "double", "int")
# A thousand of these still have a sum that a double holds.
ADDABLE = 1e300
# Numbers that name things or are parts of a date: their sum says nothing.
_NAMING = re.compile(
    r"(^|_)(ID|NO|NR|NUM|NUMBER|CODE|KEY|YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|ZIP|PHONE|INN|LAT|LON)$"
)
# Numbers that hold for a moment or a piece: others are worth more as a sum.
_LEVEL = re.compile(r"(^|_)(AGE|AVERAGE|AVG|PERCENT|PRICE|RATE|RATIO|SCORE|SHARE|TEMP|TEMPERATURE)$")
# Fewer bars are hardly a line of time.
FEWEST_BARS = 3


def choose_chart(columns: Sequence[ReadColumn]) -> FirstChart | None:
    """Draw a measure over time, else the commonest values, else what there is over time; None where no column has two values."""
    times = [column for column in columns if column.family == "times" and column.distinct > 1]
    long = next((column for column in times if len(_axis(column).labels) >= FEWEST_BARS), None)
    measure = choose_measure(columns)
    if long is not None and measure is not None:
        return _over_time(long, measure)
    texts = [column for column in columns if column.family == "texts" and _repeats(column)]
    if texts:
        # A column of few values makes a chart that can be read; of several such the first.
        return _commonest(next((column for column in texts if column.distinct <= MOST_BARS), texts[0]))
    time = long or next(iter(times), None)
    return None if time is None else _over_time(time, measure)


def choose_measure(columns: Sequence[ReadColumn]) -> ReadColumn | None:
    """Choose the column of numbers that is most probably worth adding up."""
    numbers = [column for column in columns if column.family == "numbers" and column.distinct > 1]
    sums = [
        column
        for column in numbers
        if not _NAMING.search(column.name.upper()) and all(abs(value) < ADDABLE for value in column.numbers)
    ]
    return min(
        sums,
        key=lambda column: (bool(_LEVEL.search(column.name.upper())), MEASURES.index(column.type)),
        default=None,
    )


class _Axis(NamedTuple):
    step: TimeStep
    first: int
    labels: list[int | float | str]


def _axis(time: ReadColumn) -> _Axis:
    moments = time.moments
    step = choose_step(min(moments), max(moments), MOST_BARS, days=time.type == "date")
    first, last = step.index(min(moments)), step.index(max(moments))
    return _Axis(step, first, starts_of(step, first, last - first + 1))


def _over_time(time: ReadColumn, measure: ReadColumn | None) -> FirstChart:
    step, first, labels = _axis(time)
    bars: list[list[int | float]] = [[] for _ in labels]
    for row, moment in enumerate(time.values):
        if isinstance(moment, datetime):
            bars[step.index(moment) - first].append(_amount(measure, row))
    return FirstChart(
        kind="time",
        column=show_value(time.name),
        measure=show_value(measure.name) if measure else None,
        step=step.code,
        labels=labels,
        values=[_sum(bar) for bar in bars],
    )


def _commonest(column: ReadColumn) -> FirstChart:
    common = count_common([text for text in column.values if isinstance(text, str)], MOST_VALUES)
    return FirstChart(
        kind="values",
        column=show_value(column.name),
        labels=[each.value for each in common],
        values=[each.count for each in common],
    )


def _repeats(column: ReadColumn) -> bool:
    return 1 < column.distinct < len(column.filled)


def _amount(measure: ReadColumn | None, row: int) -> int | float:
    """What a row adds to its bar: one, or its value of the measure."""
    if measure is None:
        return 1
    value = measure.values[row]
    return value if isinstance(value, int | float) else 0


def _sum(amounts: Sequence[int | float]) -> int | float:
    if all(isinstance(amount, int) for amount in amounts):
        return sum(amounts)
    # Twelve digits: what lies behind them comes from adding.
    return float(f"{math.fsum(amounts):.12g}")
