"""How values spread: bars of equal width over numbers or over time. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from bi_mcp.diagnostics.profile.profile import Histogram
from bi_mcp.diagnostics.profile.time_steps import TimeStep, choose_step

# More could not be told apart in a small picture. 31 days of a month fit.
MOST_BARS = 31
MOST_NUMBER_BARS = 20


def count_numbers(values: Sequence[int | float]) -> Histogram | None:
    """Spread numbers over bars with round edges; None where there is nothing to spread."""
    if not values or min(values) == max(values):
        return None
    low, high = Fraction(min(values)), Fraction(max(values))
    width = _round_width(
        (high - low) / MOST_NUMBER_BARS, whole=all(isinstance(value, int) for value in values)
    )
    first = low // width
    # Multiplied as exact numbers and then rounded: added up as floats, they would slip past the values that lie on them.
    edges = [_plain((first + number) * width) for number in range(int(high // width - first) + 1)]
    counts = [0] * len(edges)
    for value in values:
        counts[max(0, bisect_right(edges, value) - 1)] += 1
    return Histogram(starts=list(edges), counts=counts, step=_plain(width))


def count_times(values: Sequence[datetime], *, days: bool) -> Histogram | None:
    """Spread moments over bars of a calendar; None where there is nothing to spread."""
    if not values or min(values) == max(values):
        return None
    step = choose_step(min(values), max(values), MOST_BARS, days=days)
    first, last = step.index(min(values)), step.index(max(values))
    counts = [0] * (last - first + 1)
    for value in values:
        counts[step.index(value) - first] += 1
    return Histogram(starts=starts_of(step, first, len(counts)), counts=counts, step=step.code)


def starts_of(step: TimeStep, first: int, count: int) -> list[int | float | str]:
    """Write the beginnings of so many steps."""
    return [step.write(first + number) for number in range(count)]


def _round_width(least: Fraction, *, whole: bool) -> Fraction:
    """Find the narrowest width of 1, 2 or 5 times a power of ten that is no narrower than this."""
    power = Fraction(1)
    while power > least:
        power /= 10
    while power * 10 <= least:
        power *= 10
    width = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
    return max(width, Fraction(1)) if whole else width


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)
