"""Numbers and shares as people write them in the language in use. Pure."""

from __future__ import annotations

import math

from bi_mcp.base.language import spoken

# Thousands and decimals: a space that does not break, and a comma, in Russian.
_RUSSIAN = str.maketrans({",": "\u00a0", ".": ","})


def write_number(number: float) -> str:
    """Write a number with its thousands apart, and four digits of a fraction."""
    if isinstance(number, int) or number == 0:
        written = f"{number:,.0f}" if isinstance(number, float) else f"{number:,}"
    elif 1e-4 <= abs(number) < 1e15:
        decimals = max(0, 3 - math.floor(math.log10(abs(number))))
        written = f"{number:,.{decimals}f}"
        written = written.rstrip("0").rstrip(".") if decimals else written
    else:
        written = f"{number:.4g}"
    return written.translate(_RUSSIAN) if spoken() == "ru" else written


def write_share(part: int, whole: int) -> str:
    """Write a part as a percentage. What is a little more than nothing, or less than all, does not become it."""
    if part in {0, whole}:
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if percent < 1:
        return "<1%"
    return ">99%" if percent > 99 else f"{percent:.0f}%"


def write_label(label: float | str) -> str:
    """Write the beginning of a bar: a number, or a text as it is."""
    return label if isinstance(label, str) else write_number(label)
