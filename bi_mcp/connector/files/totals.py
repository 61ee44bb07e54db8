"""Rows of totals: left in a table, they double every sum of its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bi_mcp.base.language import say
from bi_mcp.connector.files.engine import quote
from bi_mcp.connector.files.profile import Execute, Reading
from bi_mcp.connector.files.values import MISSING

# So many rows at the end may be totals.
MOST = 5
_DECIMALS = re.compile(r"(-?[0-9][0-9\s]*)[.,]([0-9]{1,2})")
# So many rows at the end are looked at: a table calculator writes many empty ones.
_REACHES = (4 * MOST, 400, 8000)
# Values are written with some decimals only; their sum may differ by as much for each of them, and no more than this share.
ROUNDING = 0.005
SHARE = 1e-6

_WORDS = (
    "total|totals|grand total|sum|итого|всего|итог|общий итог|всего итого|итого всего|всього|разом|gesamt|summe|gesamtsumme|"
    "gesamtergebnis|insgesamt|total général|total general|somme|totale|totale generale|suma|suma total|razem|ogółem|łącznie|celkem"
)
_PHRASES = "(?:итого|всего)(?: (?:по|за|на|с|со|без|к) | ?[:(]).*|total ?[:(].*|total (?:for|of) .*|sub-?total.*|подытог.*|zwischensumme.*"
_LABEL = f"(?i:(?:{_WORDS}|{_PHRASES})[ :.]*)"
_WORD = re.compile(f"(?i:(?:{_WORDS})[ :.]*)")
_COMPILED = re.compile(_LABEL)
# The longest label that is one.
_LONGEST = 80


@dataclass(frozen=True)
class Tail:
    """Rows at the end of a table of texts that are called totals, by their numbers in the engine."""

    rows: Sequence[tuple[int, Sequence[str]]]

    @property
    def numbers(self) -> str:
        return ", ".join(str(number) for number, _ in self.rows)


def find_tail(execute: Execute, table: str, width: int) -> Tail:
    """Find the last rows whose first filled cell is a word for a total, below other rows."""
    filled: list[tuple[int, Sequence[str]]] = []
    for reach in _REACHES:
        rows = _last_rows(execute, table, width, reach)
        filled = [(number, cells) for number, cells in rows if any(cells)]
        if len(filled) > MOST or len(rows) < reach:
            break
    found = []
    for number, cells in filled[:MOST]:
        if not is_label(first_filled(cells)):
            break
        found.append((number, cells))
    return Tail(found[::-1] if len(found) < len(filled) else ())


def _last_rows(execute: Execute, table: str, width: int, count: int) -> list[tuple[int, Sequence[str]]]:
    columns = ", ".join(f"r{at}" for at in range(width))
    read = execute(
        f"SELECT rowid, {columns} FROM {table} "  # noqa: S608 - names are the engine's own
        f"WHERE rowid > (SELECT max(rowid) FROM {table}) - {count} ORDER BY rowid DESC"
    )
    return [
        (int(str(row[0])), ["" if cell is None else str(cell).strip() for cell in row[1:]]) for row in read
    ]


def first_filled(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if cell), "")


def is_label(cell: str) -> bool:
    return len(cell) <= _LONGEST and _COMPILED.fullmatch(cell) is not None


def count_totals(
    execute: Execute, table: str, set_aside: str, tail: Tail, readings: Sequence[Reading]
) -> int:
    """Count the last of the rows that were set aside which are totals of the others, by their numbers or because nothing but a word says what they are about."""
    measures = [at for at, reading in enumerate(readings) if reading.type in {"int", "double"}]
    keys = [at for at in range(len(readings)) if at not in measures]
    if not measures:
        return 0
    columns = ", ".join(f"CAST({readings[at].sql} AS DOUBLE)" for at in measures)
    sums = ", ".join(
        f"sum(CAST({sql} AS DOUBLE)), avg(CAST({sql} AS DOUBLE))"
        for sql in (readings[at].sql for at in measures)
    )
    labelled = " OR ".join(_labelled(at) for at in keys[:2]) or "false"
    numbers = execute(f"SELECT {columns} FROM {set_aside} ORDER BY rowid")  # noqa: S608 - names are the engine's own
    # Of all rows, and without subtotals.
    rows, without = f"SELECT count(*), {sums} FROM {table}", f"WHERE ({labelled}) IS NOT TRUE"  # noqa: S608 - the same
    above = [execute(rows)[0], execute(f"{rows} {without}")[0]]
    count = 0
    for read, (_, cells) in zip(reversed(numbers), reversed(tail.rows), strict=True):
        found = [_with_decimals(cells[at], number) for at, number in zip(measures, read, strict=True)]
        if not _stands_alone(cells, keys) and not any(_equal(found, cells, measures, sums) for sums in above):
            break
        count += 1
    return count


def _with_decimals(cell: str, number: object) -> object:
    """Read the average of whole numbers, or their sum with zeros behind it; such a mark is none of thousands."""
    matched = _DECIMALS.fullmatch(cell)
    return float(f"{''.join(matched[1].split())}.{matched[2]}") if matched else number


def _labelled(at: int) -> str:
    return f"(length(r{at}) <= {_LONGEST} AND regexp_full_match(r{at}, {quote(f' *{_LABEL}')}))"


def _stands_alone(cells: Sequence[str], keys: Sequence[int]) -> bool:
    """Tell whether nothing but the word says what a row is about, though it could: there are other cells, or numbers stand above the word."""
    at = next(at for at, cell in enumerate(cells) if cell)
    others = [key for key in keys if key != at]
    numbers = sum(bool(cell) for cell in cells) > 1
    word = _WORD.fullmatch(cells[at]) is not None
    return word and numbers and bool(others or at not in keys) and not any(cells[key] for key in others)


def _equal(
    numbers: Sequence[object], cells: Sequence[str], measures: Sequence[int], above: Sequence[object]
) -> bool:
    """Compare the cells that hold something with what is above: the number of rows, then the sum and the average of each column.

    One at least must be a sum.
    """
    count = int(str(above[0]))
    compared = [
        (_near(number, above[2 * nth + 1], count), _near(number, above[2 * nth + 2], 1))
        for nth, (number, at) in enumerate(zip(numbers, measures, strict=True))
        if cells[at] and cells[at].lower() not in MISSING and not is_label(cells[at])
    ]
    return any(is_sum for is_sum, _ in compared) and all(map(any, compared))


def _near(found: object, expected: object, count: int) -> bool:
    if found is None or expected is None:
        return False
    number, wanted = float(str(found)), float(str(expected))
    return abs(number - wanted) <= max(min(ROUNDING * count, SHARE * abs(wanted)), ROUNDING)


def count_subtotals(execute: Execute, table: str, readings: Sequence[Reading]) -> int:
    """Count rows in the midst of the others that are called totals."""
    texts = [at for at, reading in enumerate(readings[:2]) if reading.type == "string"]
    if not texts or not any(reading.type in {"int", "double"} for reading in readings):
        return 0
    labelled = " OR ".join(map(_labelled, texts))
    return int(str(execute(f"SELECT count(*) FROM {table} WHERE {labelled}")[0][0]))  # noqa: S608 - names are the engine's own


def describe_left_out(lines: Sequence[int | None], labels: Sequence[str]) -> str:
    """Say which rows are left out, by their lines where these are known."""
    known = [str(line) for line in lines if line is not None]
    if len(known) < len(labels):
        return say("totals row left out: {label}", label=", ".join(labels))
    return say("totals row left out: line {line}", line=", ".join(known))
