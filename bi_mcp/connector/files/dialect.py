"""The dialect of a delimited text, from a sample of its head: delimiter, header, and what stands before it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bi_mcp.connector.files.values import is_plain_value

DELIMITERS = (",", ";", "\t", "|")
UNQUOTED = ("\t", "|")
# What a text of one column is read with: its commas belong to the values.
NO_DELIMITER = "\x1f"
# A text of which fewer lines than this share agree about the number of values has one column.
FEWEST_AGREEING = 0.3
LOOKED_AT = 200

# The library's own limit is smaller than cells that people have; with it an open quote ends at the latest.
csv.field_size_limit(1 << 22)

_EXCEL_MARK = re.compile(r'"?sep=(.)"?\s*(\r\n|\r|\n)', re.IGNORECASE)
_DAY = re.compile(r"\s*[0-9]{1,4}([-./])[0-9]{1,2}\1[0-9]{1,4}\b")
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
class Marks:
    """The characters with a meaning: what separates values, what escapes it, and whether double quotes enclose values."""

    delimiter: str
    escape: str | None = None
    quoted: bool = True
    spaced: bool = False


@dataclass(frozen=True)
class Dialect:
    """How a text is to be read."""

    marks: Marks
    header: Header


def read_records(lines: Iterable[str], marks: Marks) -> Records:
    """Iterate over the records of a text. Raises csv.Error for a quote that is never closed."""
    reader = csv.reader(
        lines,
        delimiter=marks.delimiter,
        escapechar=marks.escape,
        quoting=csv.QUOTE_MINIMAL if marks.quoted else csv.QUOTE_NONE,
        skipinitialspace=marks.spaced,
        strict=True,
    )
    end = 0
    for cells in reader:
        yield Record(end + 1, cells)
        end = reader.line_num


def find_dialect(sample: str, whole: bool) -> Dialect | None:
    """Find the dialect of a text by its first lines; None if there is nothing that names columns.

    `whole` says that the sample is all there is: otherwise its last line may have been cut.
    """
    text = _Sample(sample, whole)
    marked = _EXCEL_MARK.match(sample)
    best = text.rank(Marks(marked[1])) if marked else _best_of(text)
    best = _with_spaces(text, _with_escape(text, best))
    records = best.records[1:] if marked else best.records
    header = find_header(records, best.width)
    if header and _is_decimal(best.marks, header, records):
        marks = Marks(NO_DELIMITER)
        header = find_header(text.rank(marks).records, 1)
        return Dialect(marks, header) if header else None
    return Dialect(best.marks, header) if header else None


def _is_decimal(marks: Marks, header: Header, records: Sequence[Record]) -> bool:
    """Tell whether commas are the decimal marks of one column: numbers stand directly below a name without a comma."""
    nameless = not header.is_written and header.skipped == 1 and header.first_line == 2
    return marks.delimiter == "," and header.width == 2 and nameless and len(records[0].cells) == 1


@dataclass(frozen=True)
class _Rank:
    """How well marks fit a sample: the usual number of values, and the share of lines that have it."""

    marks: Marks
    records: list[Record]
    failed: bool
    width: int = 0
    agreeing: float = 0.0


@dataclass(frozen=True)
class _Sample:
    text: str
    whole: bool

    def rank(self, marks: Marks) -> _Rank:
        records, failed = self._read(marks)
        sizes = [
            len(record.cells) for record in records if record.cells and not record.cells[0].startswith("#")
        ]
        if not sizes:
            return _Rank(marks, records, failed)
        counted = Counter(sizes)
        width = max(counted, key=lambda size: (counted[size], size > 1, size == sizes[0], size))
        agreeing = counted[width] / counted.total() if width > 1 else 0.0
        return _Rank(marks, records, failed, width, agreeing)

    def _read(self, marks: Marks) -> tuple[list[Record], bool]:
        records: list[Record] = []
        failed = False
        try:
            for record in read_records(io.StringIO(self.text, newline=""), marks):
                records.append(record)
                if len(records) > LOOKED_AT:
                    return records, False
        except csv.Error as error:
            # The sample may end within quotes.
            failed = self.whole or "end of data" not in str(error)
        return (records if self.whole else records[:-1]), failed


def _best_of(text: _Sample) -> _Rank:
    ranked = [text.rank(Marks(delimiter)) for delimiter in DELIMITERS]
    best = max(ranked, key=lambda rank: (rank.agreeing, rank.width))
    if best.failed or best.agreeing < FEWEST_AGREEING:
        # Programs that write tabs often leave quotes as they are.
        plain = [text.rank(Marks(delimiter, quoted=False)) for delimiter in UNQUOTED]
        unquoted = max(plain, key=lambda rank: (rank.agreeing, rank.width))
        if unquoted.agreeing == 1 and len(unquoted.records) > max(1, len(best.records)):
            return unquoted
    if best.agreeing >= FEWEST_AGREEING:
        return best
    spaced = text.rank(Marks(" "))
    if spaced.agreeing == 1 and _has_measures(spaced.records):
        return spaced
    return replace(text.rank(Marks(NO_DELIMITER)), width=1)


def _has_measures(records: Sequence[Record]) -> bool:
    """Tell whether a column below the first line holds nothing but numbers or dates."""
    rows = [record.cells for record in records[1:] if not record.is_blank]
    return len(rows) > 1 and any(all(map(is_plain_value, cells)) for cells in zip(*rows, strict=True))


def _with_spaces(text: _Sample, rank: _Rank) -> _Rank:
    """Leave out the space behind each delimiter if it is behind all of them."""
    if f"{rank.marks.delimiter} " not in text.text:
        return rank
    spaced = text.rank(replace(rank.marks, spaced=True))
    behind = [cell for record in rank.records for cell in record.cells[1:] if cell]
    everywhere = all(cell.startswith(" ") for cell in behind)
    better = spaced.agreeing > rank.agreeing or (rank.failed and not spaced.failed)
    return spaced if spaced.width > 1 and (better or (everywhere and spaced.width == rank.width)) else rank


def _with_escape(text: _Sample, rank: _Rank) -> _Rank:
    """Let a backslash escape the delimiter if lines fit then that would not otherwise."""
    if f"\\{rank.marks.delimiter}" not in text.text and '\\"' not in text.text:
        return rank
    escaped = text.rank(replace(rank.marks, escape="\\"))
    better = (escaped.agreeing, len(escaped.records)) > (rank.agreeing, len(rank.records))
    return escaped if escaped.width == rank.width and better else rank


def find_header(records: Sequence[Record], width: int) -> Header | None:
    """Find the names of the columns of a table, most lines of which have `width` values; None if all is blank."""
    at = _header_at(records, width)
    if at is None:
        return None
    header, following = records[at], list(records[at + 1 :])
    names = [" ".join(cell.split()) for cell in header.cells]
    while len(names) > max(width, 1) and not names[-1]:
        names.pop()
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
        return not following and all(map(is_plain_value, names))
    columns = [[row[at] for row in rows if row[at].strip()] for at in range(len(names))]
    measured = [at for at, cells in enumerate(columns) if cells and all(map(is_plain_value, cells))]
    if not measured or all(_YEAR.fullmatch(names[at]) for at in measured):
        return False
    # Days above numbers are names.
    if all(_DAY.match(names[at]) and not any(map(_DAY.match, columns[at])) for at in measured):
        return False
    return all(is_plain_value(names[at]) for at in measured)
