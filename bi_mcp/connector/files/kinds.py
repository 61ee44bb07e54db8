"""The kind of a file, by its first bytes: the name of a file is only a hint."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias, cast

from bi_mcp.base.language import say, text
from bi_mcp.connector.files.encoding import unmarked_utf16
from bi_mcp.errors import ConfigError

Kind: TypeAlias = Literal["text", "json", "workbook", "parquet", "sqlite"]

HEAD = 4096
# What reading of a file packed with gzip raises when it is damaged.
DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
# In a folder only these are looked at; a text kind may have `.gz` behind it.
_ENDINGS = "csv tsv tab txt json jsonl ndjson xlsx xlsm xlsb xls ods parquet pq sqlite sqlite3 db"
SUFFIXES: frozenset[str] = frozenset(f".{ending}" for ending in _ENDINGS.split())

_MARKS: Mapping[bytes, Kind] = {
    b"PAR1": "parquet",
    b"SQLite format 3\0": "sqlite",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "workbook",
}
_REFUSED: Mapping[bytes, str] = {
    b"%PDF": text("a PDF document"),
    b"BZh": text("a bzip2 archive"),
    b"\xfd7zXZ": text("an xz archive"),
    b"\x28\xb5\x2f\xfd": text("a Zstandard archive"),
    b"7z\xbc\xaf": text("a 7-Zip archive"),
    b"Rar!": text("a RAR archive"),
    b"{\\rtf": text("an RTF document"),
    b"\x89PNG": text("a picture"),
    b"\xff\xd8\xff": text("a picture"),
}
# What the name of a file says that it is. A text of columns may be called `.txt` or `.db` by anybody.
_ENDINGS_OF: Mapping[Kind, str] = {
    "text": "csv tsv tab",
    "json": "json jsonl ndjson",
    "workbook": "xlsx xlsm xlsb xls ods",
    "parquet": "parquet pq",
    "sqlite": "sqlite sqlite3",
}
_SUGGESTED: Mapping[str, Kind] = {
    f".{ending}": kind for kind, endings in _ENDINGS_OF.items() for ending in endings.split()
}
_CALLED: Mapping[Kind, str] = {
    "text": text("delimited text"),
    "json": text("JSON"),
    "workbook": text("a workbook"),
    "parquet": text("a Parquet file"),
    "sqlite": text("a SQLite file"),
}
_MARKUP = re.compile(rb"\s*<(!doctype\s+html|html|head|body|table|meta|script|style|div|p\b)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml|\s*<[A-Za-z]+[^<>]*>\s*<", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\[\s*)?\{\s*("|\}|$)|\s*\[\s*(\[\s*|)(\]|"|$)')
_DAMAGED: Mapping[str, str] = {
    "gzip": text("{name} is a damaged gzip file. Pack it again, or remove it."),
    "parquet": text("{name} is a damaged Parquet file. Export it again, or remove it."),
    "zip": text("{name} is a damaged ZIP archive. Restore it, or remove it."),
}
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x19\x1b]")


@dataclass(frozen=True)
class DataFile:
    """A file, what it really is, and whether it is packed with gzip."""

    path: Path
    kind: Kind
    packed: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def suffix(self) -> str:
        """The end of the name in small letters, without the one of gzip."""
        return Path(self.name.lower().removesuffix(".gz")).suffix

    @property
    def suggested(self) -> Kind | None:
        """The kind that the name says, if it says one."""
        return _SUGGESTED.get(self.suffix)

    @property
    def surprise(self) -> str:
        """Say that the file is not what its name says; nothing if it is."""
        expected = self.suggested
        if expected is None or expected == self.kind:
            return ""
        return say(
            "{name} is {what}, not {expected}",
            name=self.name,
            what=say(_CALLED[self.kind]),
            expected=say(_CALLED[expected]),
        )

    def open(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(self.path)) if self.packed else self.path.open("rb")


def has_data_suffix(path: Path) -> bool:
    """Tell whether a name looks like that of a file of data."""
    return Path(path.name.lower().removesuffix(".gz")).suffix in SUFFIXES


def plain_stem(path: Path) -> str:
    """Return a file's name without its suffix, and without the one of gzip."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem


def recognise(path: Path) -> DataFile:
    """Look into a file. Raises ConfigError, which says what it is, for one that holds no table."""
    with path.open("rb") as opened:
        head = opened.read(HEAD)
    packed = head.startswith(b"\x1f\x8b")
    if packed:
        head = _unpack_head(path)
    if not head.strip(b"\xef\xbb\xbf \t\r\n\0"):
        raise ConfigError(say("{name} is empty. Export it again, or remove it.", name=path.name))
    kind = _kind(path, head)
    if packed and kind not in {"text", "json"}:
        raise ConfigError(
            say("{name} is packed with gzip; only texts are read so. Unpack it.", name=path.name)
        )
    return DataFile(path, kind, packed)


def damaged(form: str, path: Path) -> ConfigError:
    """Return what to raise for a file that is not what its first bytes say."""
    return ConfigError(say(_DAMAGED[form], name=path.name))


def _unpack_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as opened:
            return opened.read(HEAD)
    except DAMAGED as error:
        raise damaged("gzip", path) from error


def _kind(path: Path, head: bytes) -> Kind:
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    for mark, kind in _MARKS.items():
        if head.startswith(mark):
            return kind
    for mark, description in _REFUSED.items():
        if head.startswith(mark):
            raise _foreign(path, description)
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(plain):
        raise _foreign(path, text("an HTML page"))
    if _XML.match(plain):
        raise _foreign(path, text("an XML document"))
    return "json" if _JSON.match(plain) else _plain_text(path, head)


def _plain_text(path: Path, head: bytes) -> Kind:
    # UTF-16 and UTF-32 have a zero in every other byte, or more. A stray one in a text does no harm.
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    is_wide = marked or unmarked_utf16(head) or head.count(0) >= len(head) // 4
    if 0 in head and not is_wide and _CONTROL.search(head):
        raise _foreign(path, text("a binary file"))
    return "text"


def _kind_of_zip(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:
        raise damaged("zip", path) from None
    if names & {"xl/workbook.xml", "xl/workbook.bin"} or {"mimetype", "content.xml"} <= names:
        return "workbook"
    raise ConfigError(say("{name} is a ZIP archive. Unpack it and name the files in it.", name=path.name))


def _foreign(path: Path, description: str) -> ConfigError:
    return ConfigError(
        say(
            "{name} is {what}, not a table. Export it as CSV or Excel.", name=path.name, what=say(description)
        )
    )
