"""A minimal workbook, written by hand: sheets of cells that are numbers, texts, truth values, dates or errors."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias
from xml.sax.saxutils import escape

Cell: TypeAlias = "int | float | str | bool | date | datetime | None"

HIDDEN = ' state="hidden"'
_SPACE = "http://schemas.openxmlformats.org"
_MAIN = f"{_SPACE}/spreadsheetml/2006/main"
_RELATIONS = f"{_SPACE}/officeDocument/2006/relationships"
# Style 1 is a date, 2 a moment.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: Sequence[str] = ()) -> bytes:
    """Write an xlsx file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", _content_types(len(sheets)))
        archive.writestr("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        archive.writestr("xl/styles.xml", _STYLES)
        archive.writestr("xl/workbook.xml", _book(list(sheets), hidden))
        targets = [("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)]
        archive.writestr("xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")]))
        for at, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{at}.xml", _sheet(rows))
    return file.getvalue()


def _content_types(count: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{kind}.worksheet+xml"/>'
        for at in range(1, count + 1)
    )
    return (
        f'<Types xmlns="{_SPACE}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{sheets}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{at}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_SPACE}/package/2006/relationships">{listed}</Relationships>'


def _book(names: Sequence[str], hidden: Sequence[str]) -> str:
    states = [HIDDEN if name in hidden else "" for name in names]
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}"{states[at - 1]}/>'
        for at, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = [
        "".join(_cell(line, at, cell) for at, cell in enumerate(cells)) for line, cells in enumerate(rows, 1)
    ]
    written = "".join(f'<row r="{line}">{cells}</row>' for line, cells in enumerate(lines, 1))
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{written}</sheetData></worksheet>'


def _cell(line: int, at: int, cell: Cell) -> str:
    place = f'r="{chr(ord("A") + at)}{line}"'
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c {place} t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, datetime):
        since = cell - datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no zone
        return f'<c {place} s="2"><v>{since.days + since.seconds / 86400}</v></c>'
    if isinstance(cell, date):
        return f'<c {place} s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
    if isinstance(cell, str):
        kind = "e" if cell.startswith("#") else "inlineStr"
        value = f"<v>{cell}</v>" if kind == "e" else f"<is><t>{escape(cell)}</t></is>"
        return f'<c {place} t="{kind}">{value}</c>'
    return f"<c {place}><v>{cell}</v></c>"
