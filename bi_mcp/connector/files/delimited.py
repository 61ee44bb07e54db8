"""Delimited texts into the engine: at full speed where the text is regular, else line by line with a person's patience."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import duckdb

from bi_mcp.base.language import say, text
from bi_mcp.connector.files.dialect import Dialect, Record, Records, find_dialect, read_records
from bi_mcp.connector.files.encoding import Encoding, detect_encoding
from bi_mcp.connector.files.engine import LONGEST_LINE, Engine, quote
from bi_mcp.connector.files.kinds import DataFile
from bi_mcp.connector.files.profile import Hints
from bi_mcp.connector.files.totals import first_filled, is_label
from bi_mcp.connector.options import SourceOptions
from bi_mcp.errors import ConfigError

SAMPLE = 1 << 18

_RULE = re.compile(r"[-=_*~#.]{3,}")
_DELIMITERS = {
    ",": text("comma"),
    ";": text("semicolon"),
    "\t": text("tab"),
    "|": text("vertical bar"),
    " ": text("space"),
}
# The delimiters that the name of a file suggests.
_USUAL = {".csv": ",;", ".tsv": "\t", ".tab": "\t"}

FindLine: TypeAlias = Callable[[str], "int | None"]


@dataclass
class RawTable:
    """A table of texts in the engine (`r0`, `r1`…), the names of its columns, and what is known about it."""

    table: str
    names: Sequence[str]
    hints: Hints
    notes: list[str] = field(default_factory=list)
    # Columns whose values the file itself declares to be texts.
    texts: frozenset[int] = frozenset()
    left_out: dict[str, str] = field(default_factory=dict)
    # Where in the file the last line is that begins with a text; None if there are no lines, and so no totals below them.
    find_line: FindLine | None = None


@dataclass(frozen=True)
class DelimitedText:
    """A text whose encoding and dialect are known."""

    file: DataFile
    encoding: Encoding
    dialect: Dialect

    def is_plausible(self) -> bool:
        """Tell whether the text is a table even if its name says nothing of the kind: it has several columns, and rows."""
        if self.dialect.header.width < 2:
            return False
        filled = (line for line in self.lines() if line.strip())
        return len(list(itertools.islice(filled, 2))) == 2

    def find_line(self, beginning: str) -> int | None:
        """Return the number of the last line whose first value is a text."""
        blank = f'" \t\ufeff{self.dialect.marks.delimiter}'
        found = None
        for number, line in enumerate(self.lines(), 1):
            if line.lstrip(blank).startswith(beginning):
                found = number
        return found

    def lines(self) -> Iterator[str]:
        with (
            self.file.open() as opened,
            io.TextIOWrapper(opened, self.encoding.name, errors="replace", newline="") as text,
        ):
            # With this newline, lines may end as on Unix, Windows or an old Mac.
            yield from (line.replace("\0", "") for line in text)


def examine(file: DataFile, options: SourceOptions, scanned: int | None = SAMPLE) -> DelimitedText:
    """Look at a text: its head, and for the encoding as many bytes as are to be scanned. Raises ConfigError if it is not a table."""
    with file.open() as opened:
        encoding = detect_encoding(opened, options.encoding, file.name, scanned)
    with file.open() as opened:
        head = opened.read(SAMPLE)
    sample = head.decode(encoding.name, "ignore")
    dialect = find_dialect(sample, whole=len(head) < SAMPLE)
    if dialect is None or any("\0" in name for name in dialect.header.names):
        raise ConfigError(
            say(
                "{name} does not begin with a line of column names. Put one there, or remove the file.",
                name=file.name,
            )
        )
    suffixes = [suffix.lower() for suffix in file.path.suffixes]
    if ".txt" in suffixes and dialect.header.width < 2:
        raise ConfigError(
            say("{name} is a text without columns. Export it as CSV, or remove it.", name=file.name)
        )
    return DelimitedText(file, encoding, dialect)


def load_delimited(engine: Engine, file: DataFile, options: SourceOptions) -> RawTable:
    """Load a text. Raises ConfigError, which names the line, for one whose lines are of different width."""
    examined = examine(file, options, scanned=None)
    raw = RawTable(
        engine.new_name("raw"),
        examined.dialect.header.names,
        Hints(options.culture, decimal="," if examined.dialect.marks.delimiter == ";" else "."),
        list(_notes(examined)),
        find_line=examined.find_line,
    )
    if _is_regular(examined) and _load_fast(engine, examined, raw.table):
        return raw
    engine.drop(raw.table)
    records = _tidy(examined, raw.notes)
    load_records(engine, raw.table, examined.dialect.header.width, records)
    return raw


def load_records(engine: Engine, table: str, width: int, records: Iterator[Sequence[str]]) -> None:
    """Load rows of texts, all of one width, through a file in UTF-8."""
    file = engine.new_file(".csv")
    try:
        longest = 0
        with file.open("w", encoding="utf-8", errors="replace", newline="") as opened:
            writer = csv.writer(opened, quoting=csv.QUOTE_ALL, lineterminator="\n")
            for record in records:
                # It returns the number of characters; each takes four bytes at most.
                longest = max(longest, 4 * writer.writerow(record))
        _read_csv(engine, table, file, width, ",", skip=0, longest_line=max(longest, LONGEST_LINE))
    finally:
        file.unlink(missing_ok=True)


def _notes(examined: DelimitedText) -> Iterator[str]:
    dialect, encoding = examined.dialect, examined.encoding
    if not encoding.is_utf8:
        how = (
            text("encoding {name}, guessed from the letters; --encoding overrules it")
            if encoding.guessed
            else text("encoding {name}, as marked or declared")
        )
        yield say(how, name=encoding.name)
    mark = dialect.marks.delimiter
    if dialect.header.width > 1 and mark not in _USUAL.get(examined.file.suffix, ""):
        yield say("delimiter {delimiter}", delimiter=say(_DELIMITERS[mark]) if mark in _DELIMITERS else mark)
    if not dialect.marks.quoted:
        yield say("double quotes are a part of the values")
    if encoding.lost:
        yield say(
            "characters that were lost before the file was written (U+FFFD): {count}", count=encoding.lost
        )
    if dialect.marks.escape:
        yield say("a backslash before a delimiter makes it a part of the value")
    if dialect.header.skipped:
        yield say("lines left out before the column names: {count}", count=dialect.header.skipped)
    if dialect.header.lines > 1:
        yield say("the first two lines name the columns")
    if not dialect.header.is_written:
        yield say("the first line is data, so the columns have numbers for names")


def _is_regular(examined: DelimitedText) -> bool:
    # The engine's reader takes no backslash outside of quotes for an escape, and counts lines in its own way.
    marks = examined.dialect.marks
    plain = marks.escape is None and not marks.spaced and examined.dialect.header.first_line <= 2
    return plain and examined.encoding.is_utf8 and not examined.encoding.zeros


def _load_fast(engine: Engine, examined: DelimitedText, table: str) -> bool:
    """Load by the engine's own reader; False if it stumbles over something."""
    try:
        _read_csv(
            engine,
            table,
            examined.file.path,
            examined.dialect.header.width,
            examined.dialect.marks.delimiter,
            quote_mark='"' if examined.dialect.marks.quoted else "",
            skip=examined.dialect.header.first_line - 1,
            compression="gzip" if examined.file.packed else "none",
        )
    except (duckdb.InvalidInputException, duckdb.IOException):
        return False
    return True


def _read_csv(
    engine: Engine,
    table: str,
    file: Path,
    width: int,
    delimiter: str,
    *,
    skip: int,
    quote_mark: str = '"',
    compression: str = "none",
    longest_line: int = LONGEST_LINE,
) -> None:
    columns = ", ".join(f"'r{at}': 'VARCHAR'" for at in range(width))
    with engine.cursor() as cursor:
        options = (
            f"auto_detect = false, header = false, delim = {quote(delimiter)}, quote = {quote(quote_mark)}, escape = {quote(quote_mark)}, nullstr = '', "
            f"skip = {skip}, compression = {quote(compression)}, max_line_size = {longest_line}, "
            f"buffer_size = {4 * longest_line}, columns = {{{columns}}}"
        )
        source = f"read_csv({quote(str(file))}, {options})"
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM {source}")  # noqa: S608 - names are the engine's own, texts are quoted


def _tidy(examined: DelimitedText, notes: list[str]) -> Iterator[list[str]]:
    """Iterate over rows that all have the header's width. Raises ConfigError at the first line that cannot have it."""
    tidying = _Tidying(examined.file.name, examined.dialect)
    try:
        records = read_records(examined.lines(), examined.dialect.marks)
        yield from tidying.rows(
            record for record in records if record.line >= examined.dialect.header.first_line
        )
    except csv.Error as error:
        fault = (
            text(
                "{name}, after line {line}: a quote is opened and never closed. Close it, or export the file again."
            )
            if "end of data" in str(error) or "field limit" in str(error)
            else text(
                "{name}, after line {line}: something stands behind a closing quote. Remove it, or export the file again."
            )
        )
        raise ConfigError(say(fault, name=examined.file.name, line=tidying.line)) from None
    notes += tidying.notes()


@dataclass
class _Tidying:
    name: str
    dialect: Dialect
    line: int = 1
    comments: int = 0
    unreadable: int = 0
    footer: list[Record] = field(default_factory=list)

    def rows(self, records: Records) -> Iterator[list[str]]:
        after_blank = False
        for record in records:
            self.line = record.line
            self.unreadable += any("\ufffd" in cell for cell in record.cells)
            if record.is_blank:
                after_blank = True
                continue
            cells = self._fitted(record.cells)
            if cells and not self.footer:
                yield cells
            elif not self._explained(record, after_blank):
                raise self._misfit(self.footer[0] if self.footer else record)
            after_blank = False

    def notes(self) -> Iterator[str]:
        if self.unreadable:
            yield say(
                "lines with characters that cannot be read (U+FFFD); --encoding names another encoding: {count}",
                count=self.unreadable,
            )
        if self.comments:
            yield say("lines left out that begin with #: {count}", count=self.comments)
        if self.footer:
            yield say("lines left out below the table: {count}", count=len(self.footer))

    def _fitted(self, cells: list[str]) -> list[str] | None:
        width = self.dialect.header.width
        if len(cells) >= width:
            return cells[:width] if not any(cell.strip() for cell in cells[width:]) else None
        # Columns without a name at the end come from delimiters at the end of the header.
        return (
            cells + [""] * (width - len(cells)) if not any(self.dialect.header.names[len(cells) :]) else None
        )

    def _explained(self, record: Record, after_blank: bool) -> bool:
        """Tell whether a line is a comment, or belongs to what stands below a table."""
        first = record.cells[0].strip()
        if first.startswith("#") and not self.footer:
            self.comments += 1
            return True
        begins = after_blank or _RULE.fullmatch(first)
        total = is_label(first_filled([cell.strip() for cell in record.cells]))
        if total or (record.filled == 1 and (self.footer or begins)):
            self.footer.append(record)
            return True
        return False

    def _misfit(self, record: Record) -> ConfigError:
        what = (
            text(
                "{name}, line {line}: it does not fit the columns (values: {count}, columns: {width}, delimiter: {delimiter!r}). Put double quotes around values that hold the delimiter, or export the file again."
            )
            if len(record.cells) > self.dialect.header.width
            else text(
                "{name}, line {line}: it does not fit the columns (values: {count}, columns: {width}, delimiter: {delimiter!r}). Add what is missing, or export the file again."
            )
        )
        return ConfigError(
            say(
                what,
                name=self.name,
                line=record.line,
                count=len(record.cells),
                width=self.dialect.header.width,
                delimiter=self.dialect.marks.delimiter,
            )
        )
