"""The dialect of a delimited text, from a sample of its head: delimiter, header, and what stands before it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bi_mcp.connector.files.values import is_plain_value

DELIMITERS = (",", ";", "\t", "|")
# What a text of one column is read with: its commas belong to the values.
NO_DELIMITER = "\x1f"
# A text of which fewer lines than this share agree about the number of values has one column.
FEWEST_AGREEING = 0.3
LOOKED_AT = 200

_EXCEL_MARK = re.compile(r'"?sep=(.)"?\s*(\r\n|\r|\n)', re.IGNORECASE)
_YEAR = re.compile(r"(19|20)[0-9]{2}")


@dataclass(frozen=True)
class Record:
    """The cells of a line, or of several where quoted cells hold line ends; `line` is its first, from 1."""

    line: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    @property
    def filled(self) -> int:
        return sum(1 for cell in self.cells if cell.strip())


Records: TypeAlias = Iterator[Record]


@dataclass(frozen=True)
class Header:
    """The names of the columns, one (perhaps empty) text per column, and the first line of data."""

    names: tuple[str, ...]
    first_line: int
    is_written: bool = True
    skipped: int = 0
    lines: int = 1

    @property
    def width(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Dialect:
    """How a text is to be read."""

    delimiter: str
    header: Header
    escape: str | None = None


def read_records(lines: Iterable[str], delimiter: str, escape: str | None = None) -> Records:
    """Iterate over the records of a text. Raises csv.Error for a quote that is never closed."""
    reader = csv.reader(lines, delimiter=delimiter, escapechar=escape, strict=True)
    end = 0
    for cells in reader:
        yield Record(end + 1, cells)
        end = reader.line_num


def find_dialect(sample: str, whole: bool) -> Dialect | None:
    """Find the dialect of a text by its first lines; None if there is nothing that names columns.

    `whole` says that the sample is all there is: otherwise its last line may have been cut.
    """
    marked = _EXCEL_MARK.match(sample)
    delimiters = (marked[1],) if marked else DELIMITERS
    ranked = [_rank(_sampled(sample, delimiter, None, whole), delimiter) for delimiter in delimiters]
    best = max(ranked, key=lambda rank: (rank.agreeing, rank.width))
    if best.agreeing < FEWEST_AGREEING and not marked:
        best = _rank(_sampled(sample, NO_DELIMITER, None, whole), NO_DELIMITER, single=True)
    escape = _escape(sample, best, whole)
    records = _sampled(sample, best.delimiter, escape, whole) if escape else best.records
    header = find_header(records[1:] if marked else records, best.width)
    return Dialect(best.delimiter, header, escape) if header else None


@dataclass(frozen=True)
class _Rank:
    delimiter: str
    width: int
    agreeing: float
    records: list[Record]


def _sampled(sample: str, delimiter: str, escape: str | None, whole: bool) -> list[Record]:
    records: list[Record] = []
    try:
        for record in read_records(sample.splitlines(keepends=True), delimiter, escape):
            records.append(record)
            if len(records) > LOOKED_AT:
                break
    except csv.Error:
        # The sample may end within quotes; a real fault is found when the whole is read.
        return records
    cut = not whole and len(records) <= LOOKED_AT
    return records[:-1] if cut else records


def _rank(records: list[Record], delimiter: str, single: bool = False) -> _Rank:
    if single:
        return _Rank(delimiter, 1, 1.0, records)
    sizes = [len(record.cells) for record in records if record.cells and not record.cells[0].startswith("#")]
    if not sizes:
        return _Rank(delimiter, 0, 0.0, records)
    counted = Counter(sizes)
    width = max(counted, key=lambda size: (counted[size], size > 1, size == sizes[0], size))
    agreeing = counted[width] / counted.total() if width > 1 else 0.0
    return _Rank(delimiter, width, agreeing, records)


def _escape(sample: str, rank: _Rank, whole: bool) -> str | None:
    """Find out whether a backslash before a delimiter makes lines fit that would not."""
    if f"\\{rank.delimiter}" not in sample and '\\"' not in sample:
        return None
    escaped = _rank(_sampled(sample, rank.delimiter, "\\", whole), rank.delimiter)
    fits = escaped.width == rank.width and escaped.agreeing >= rank.agreeing
    return (
        "\\"
        if fits and (escaped.agreeing > rank.agreeing or len(escaped.records) > len(rank.records))
        else None
    )


def find_header(records: Sequence[Record], width: int) -> Header | None:
    """Find the names of the columns of a table, most lines of which have `width` values; None if all is blank."""
    at = _header_at(records, width)
    if at is None:
        return None
    header, following = records[at], list(records[at + 1 :])
    names = [" ".join(cell.split()) for cell in header.cells[: max(width, 1)]]
    if _names_are_data(names, following):
        return Header(("",) * len(names), header.line, is_written=False, skipped=_filled(records[:at]))
    if _lacks_name_of_first(header, following):
        names = ["", *(" ".join(cell.split()) for cell in header.cells)]
    if following and _continues(header, following[0]):
        names = list(_joined(header.cells, following.pop(0).cells))
        first = following[0].line if following else header.line + 2
        return Header(tuple(names), first, skipped=_filled(records[:at]), lines=2)
    first = following[0].line if following else header.line + 1
    return Header(tuple(names), first, skipped=_filled(records[:at]))


def _continues(header: Record, below: Record) -> bool:
    """Tell whether a line is the second one of the header: under names of groups, which leave gaps, it repeats names in full."""
    gaps = sum(not cell.strip() for cell in header.cells[:-1])
    labels = [cell.strip() for cell in below.cells]
    repeated = len(labels) - len(set(labels))
    texts = all(labels) and not any(map(is_plain_value, labels))
    return gaps >= 1 and repeated >= 2 and texts and len(labels) == len(header.cells) >= 4


def _joined(groups: Sequence[str], labels: Sequence[str]) -> Iterator[str]:
    group = ""
    for name, label in zip(groups, labels, strict=True):
        group = name.strip() or group
        yield " ".join(f"{group} – {label}".split())


def _filled(records: Sequence[Record]) -> int:
    return sum(not record.is_blank for record in records)


def _header_at(records: Sequence[Record], width: int) -> int | None:
    """Find the header: the first line of the usual width that names more than a title does."""
    filled = [at for at, record in enumerate(records) if not record.is_blank]
    usual = [at for at in filled if len(records[at].cells) >= width]
    if not usual:
        return filled[0] if filled else None
    first = usual[0]
    for at in usual[:10]:
        record = records[at]
        if record.filled >= max(min(2, width), (width + 2) // 3):
            first = at
            break
    # A header that has one name less than the lines below it has values: the first column has no name.
    before = first - 1
    if (
        before >= 0
        and len(records[before].cells) == width - 1 > 1
        and _lacks_name_of_first(records[before], records[first:])
    ):
        return before
    return first


def _lacks_name_of_first(header: Record, following: Sequence[Record]) -> bool:
    rows = [record.cells for record in following if not record.is_blank]
    if len(rows) < 2 or header.filled < len(header.cells):
        return False
    firsts = {row[0] for row in rows}
    return all(len(row) == len(header.cells) + 1 and row[-1] for row in rows) and len(firsts) == len(rows)


def _names_are_data(names: Sequence[str], following: Sequence[Record]) -> bool:
    """Tell whether the first line holds values: wherever a column holds numbers or dates, it does, too."""
    rows = [record.cells for record in following if len(record.cells) >= len(names)]
    if not rows:
        return False
    columns = [[row[at] for row in rows if row[at].strip()] for at in range(len(names))]
    measured = [at for at, cells in enumerate(columns) if cells and all(map(is_plain_value, cells))]
    if not measured or all(_YEAR.fullmatch(names[at]) for at in measured):
        return False
    return all(is_plain_value(names[at]) for at in measured)
