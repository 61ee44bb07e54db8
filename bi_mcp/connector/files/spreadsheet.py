"""Workbooks of Excel and LibreOffice: a table per sheet. Cells say what they are."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import zipfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from bi_mcp.base.language import say
from bi_mcp.connector.files.delimited import RawTable, load_records
from bi_mcp.connector.files.dialect import LOOKED_AT, Record, find_header
from bi_mcp.connector.files.engine import Engine
from bi_mcp.connector.files.profile import Hints
from bi_mcp.connector.files.totals import MOST, first_filled
from bi_mcp.connector.options import SourceOptions
from bi_mcp.errors import ConfigError

# Bytes of XML. A million rows of a few columns take half of it.
LARGEST_UNPACKED = 200_000_000
# A number of so many digits, as `_text` writes it.
_ROUNDED = re.compile(r"-?[0-9]\.[0-9]{16}e\+(?:1[5-9]|[2-3][0-9])")


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets that a person sees."""
    with _open(path) as workbook:
        return [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]


def load_sheet(engine: Engine, path: Path, name: str, options: SourceOptions) -> RawTable:
    """Load a sheet. Raises ConfigError for one that holds no table."""
    with _open(path) as workbook:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except CalamineError as error:
            raise ConfigError(
                say(
                    "{file}, sheet {name!r}, cannot be read ({reason}). Save the workbook again, or remove it.",
                    file=path.name,
                    name=name,
                    reason=error,
                )
            ) from None
        records = _records(sheet)
        head = list(itertools.islice(records, LOOKED_AT))
        found = find_header(head, _usual_width(head))
        if found is None:
            raise ConfigError(
                say(
                    "{file}, sheet {name!r}, is empty. Enter a table, or delete the sheet.",
                    file=path.name,
                    name=name,
                )
            )
        width = max(found.width, *(len(record.cells) for record in head))
        names = [*found.names, *[""] * (width - found.width)]
        raw = RawTable(engine.new_name("raw"), names, Hints(options.culture))
        if found.skipped:
            raw.notes.append(say("lines left out before the column names: {count}", count=found.skipped))
        if not found.is_written:
            raw.notes.append(say("the first line is data, so the columns have numbers for names"))
        rows = itertools.chain((record for record in head if record.line >= found.first_line), records)
        last: deque[Record] = deque(maxlen=MOST)
        raw.find_line = lambda beginning: next(
            (record.line for record in reversed(last) if first_filled(record.cells) == beginning), None
        )
        rounded = _Rounded()
        load_records(engine, raw.table, width, _fitted(rounded.watch(rows), width, last))
        if rounded.count:
            raw.notes.append(
                say(
                    "numbers of more than 15 digits, of which a workbook loses the last ones; write them as texts: {count}",
                    count=rounded.count,
                )
            )
        return raw


def _open(path: Path) -> CalamineWorkbook:
    _refuse_large(path)
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise ConfigError(
            say("{name} is protected by a password. Save it without one.", name=path.name)
        ) from None
    except CalamineError as error:
        raise ConfigError(
            say(
                "{name} cannot be read as a workbook ({reason}). Save it again, or remove it.",
                name=path.name,
                reason=error,
            )
        ) from None


def _refuse_large(path: Path) -> None:
    """Refuse a workbook that unpacks to more than is read: a sheet is held in memory whole, some times its packed size."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        unpacked = sum(part.file_size for part in packed.infolist())
    if unpacked > LARGEST_UNPACKED:
        raise ConfigError(
            say(
                "{name} unpacks to {size} MB, and workbooks of more than {largest} MB are not read. Save its sheets as CSV.",
                name=path.name,
                size=unpacked // 1_000_000,
                largest=LARGEST_UNPACKED // 1_000_000,
            )
        )


def _records(sheet: CalamineSheet) -> Iterator[Record]:
    for line, cells in enumerate(sheet.iter_rows(), 1):
        record = Record(line, [_text(cell) for cell in cells])
        if not record.is_blank:
            yield record


def _usual_width(records: Sequence[Record]) -> int:
    """Return how many columns most lines fill: a remark far to the right does not make a table wide."""
    counted = Counter(
        max(at for at, cell in enumerate(record.cells, 1) if cell.strip()) for record in records
    )
    return max(counted, key=lambda width: (counted[width], width), default=0)


@dataclass
class _Rounded:
    count: int = 0

    def watch(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self.count += sum(map(_is_rounded, record.cells))
            yield record


def _is_rounded(cell: str) -> bool:
    return _ROUNDED.fullmatch(cell) is not None


def _fitted(records: Iterator[Record], width: int, last: deque[Record]) -> Iterator[list[str]]:
    for record in records:
        last.append(record)
        yield record.cells[:width] + [""] * (width - len(record.cells))


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if abs(cell) >= 1e15:
            # Written out, it would be taken for a code.
            return f"{cell:.16e}"
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell).replace("\0", "")
