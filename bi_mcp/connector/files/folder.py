"""Files as a source: what is in a folder, by which codes, and the tables that are loaded when they are first asked for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import duckdb

from bi_mcp.base.language import say
from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.files.contents import Part, Signature, close, examine_file, refresh, sign
from bi_mcp.connector.files.engine import UNREADABLE, Engine
from bi_mcp.connector.files.kinds import DAMAGED, damaged, has_data_suffix, plain_stem
from bi_mcp.connector.files.listing import Listing, is_allowed, is_meant
from bi_mcp.connector.files.reading import FileAnswer
from bi_mcp.connector.files.table import Table
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.question.selection import select_rows
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import UNUSABLE_CODES, Answer, RemarkingSource
from bi_mcp.connector.unknown_names import UnknownName
from bi_mcp.errors import ConfigError

Found: TypeAlias = "Sequence[Part] | ConfigError"


@dataclass
class _Version:
    """A loaded state of a table. It is dropped when another has taken its place and nobody reads it any more."""

    table: Table
    signature: Signature
    readers: int = 0
    replaced: bool = False


class FileSource:
    """A file or the files of a folder as tables."""

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path = path
        self._options = options
        self._folder = path if path.is_dir() else path.parent
        self._engine = Engine(options.memory, self._folder.resolve())
        self._lock = threading.RLock()
        # One load at a time, for its memory; readers of what is loaded do not wait.
        self._loading = threading.Lock()
        self._examined: dict[Path, tuple[Signature, Found]] = {}
        self._versions: dict[str, _Version] = {}
        self._broken: dict[str, tuple[Signature, str]] = {}

    def check(self) -> None:
        with self._engine.watched(str(self._path)):
            for _ in self._files():
                break

    def tables(self) -> Mapping[str, str]:
        listing = self._list()
        return {code: self._title(code, listing.parts[code]) for code in sorted(listing.parts)}

    def columns(self, table: str) -> Sequence[TableColumn]:
        part = self._part(table)
        if part.source:
            return part.source.columns(part.label)
        return self._current(table, part).table.columns

    def rows(self, table: str, query: RowQuery) -> Answer:
        part = self._part(table)
        if part.source:
            return part.source.rows(part.label, query)
        version = self._acquire(table, part)
        try:
            selection = select_rows(table, version.table.columns, query)
            return FileAnswer(
                self._engine, version.table, selection, self._options.timeout, lambda: self._release(version)
            )
        except BaseException:
            self._release(version)
            raise

    def notes(self, table: str) -> Sequence[str]:
        """Return what was guessed about a table: encoding, delimiter, marks of numbers, orders of dates, missing values."""
        part = self._part(table)
        if isinstance(part.source, RemarkingSource):
            return (*part.notes, *part.source.notes(part.label))
        return (*part.notes, *self._current(table, part).table.notes)

    def left_out(self, table: str) -> Mapping[str, str]:
        """Return why columns of a table are not served."""
        part = self._part(table)
        if isinstance(part.source, RemarkingSource):
            return part.source.left_out(part.label)
        return self._current(table, part).table.left_out

    def left_out_tables(self) -> Mapping[str, str]:
        """Return why files and sheets are not served, as far as they were loaded."""
        return self._list().left_out

    def unknown_names(self) -> Sequence[UnknownName]:
        """What the options name and the files have not."""
        return list(self._list().unknown_names(self._options))

    def load(self) -> None:
        """Load every table now, so that `left_out_tables` knows all faults. Raises ConfigError if nothing is left to serve."""
        for table in self.tables():
            try:
                self.columns(table)
            except SourceError:
                if table not in self._broken:
                    raise
        self.require_tables()

    def require_tables(self) -> None:
        """Raise ConfigError with the reasons if no table can be served."""
        listing = self._list()
        if listing.parts:
            return
        if listing.left_out:
            raise ConfigError(" ".join(listing.left_out.values()))
        if listing.codes:
            # None of the chosen ones, which is told with those that there are.
            return
        raise ConfigError(
            say("{path} holds no table. Put files of data into it, or name another.", path=self._path)
        )

    def close(self) -> None:
        with self._lock:
            for _, found in self._examined.values():
                _close(found)
            self._examined.clear()
        self._engine.close()

    def _title(self, code: str, part: Part) -> str:
        if given := self._options.titles.get(code):
            return given
        words = plain_stem(part.path).replace("_", " ").strip()
        # Capitals of a name mean something: only the first letter becomes one.
        stem = words[:1].upper() + words[1:] or code
        if not part.label:
            return stem
        return f"{stem} – {part.label}" if self._path.is_dir() else part.label

    def _files(self) -> Iterator[Path]:
        """Iterate over the files to be served: those directly in the folder, and no link that leads out of it."""
        if not self._path.is_dir():
            self._path.stat()
            yield self._path
            return
        folder = self._folder.resolve()
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith((".", "~$")) or not has_data_suffix(path):
                continue
            real = path.resolve()
            if real.is_file() and real.is_relative_to(folder):
                yield path

    def _list(self) -> Listing:
        listing = Listing()
        found: list[Part] = []
        with self._engine.watched(str(self._path)):
            for path in self._files():
                contents = self._examine(path)
                if isinstance(contents, ConfigError):
                    if not is_meant(path, self._options):
                        continue
                    listing.left_out[path.name] = str(contents)
                else:
                    found += contents
        for code, part in _coded(found, single=not self._path.is_dir()).items():
            listing.codes.append(code)
            broken = self._broken.get(code)
            if not is_allowed(code, self._options):
                continue
            if broken and broken[0] == sign(part.path):
                listing.left_out[part.name] = broken[1]
            else:
                listing.parts[code] = part
        self._forget(set(self._versions) - set(listing.parts))
        return listing

    def _forget(self, tables: AbstractSet[str]) -> None:
        """Drop what was loaded of tables that are gone."""
        for table in tables:
            with self._lock:
                version = self._versions.pop(table, None)
                if version:
                    version.replaced = True
            if version:
                self._drop_unread(version)

    def _examine(self, path: Path) -> Found:
        signature = sign(path)
        with self._lock:
            known = self._examined.get(path)
            if known and known[0] == signature:
                return known[1] if isinstance(known[1], ConfigError) else refresh(known[1])
            contents: Found
            try:
                contents = examine_file(path, self._options)
            except ConfigError as error:
                contents = error
            if known:
                _close(known[1])
            self._examined[path] = (signature, contents)
            return contents

    def _part(self, table: str) -> Part:
        listing = self._list()
        if table in listing.parts:
            return listing.parts[table]
        if table in self._broken:
            raise SourceError(503, UNREADABLE, self._broken[table][1])
        raise RefusalError(404, f"There is no table {table[:80]!r}.")

    def _acquire(self, table: str, part: Part) -> _Version:
        while True:
            version = self._current(table, part)
            with self._lock:
                if not version.replaced:
                    version.readers += 1
                    return version

    def _current(self, table: str, part: Part) -> _Version:
        """Return the version of a table that belongs to what the file is now."""
        signature = sign(part.path)
        version = self._versions.get(table)
        if version and version.signature == signature:
            return version
        with self._loading:
            version = self._versions.get(table)
            if version and version.signature == signature:
                return version
            fresh = _Version(self._load(table, part, signature), signature)
            with self._lock:
                self._versions[table] = fresh
                if version:
                    version.replaced = True
            if version:
                self._drop_unread(version)
            return fresh

    def _load(self, table: str, part: Part, signature: Signature) -> Table:
        try:
            with self._engine.watched(part.name):
                return _load_part(part, self._engine, table)
        except ConfigError as error:
            self._broken[table] = (signature, str(error))
            raise SourceError(503, UNREADABLE, str(error)) from error

    def _release(self, version: _Version) -> None:
        with self._lock:
            version.readers -= 1
        self._drop_unread(version)

    def _drop_unread(self, version: _Version) -> None:
        with self._lock:
            unread = version.replaced and version.readers == 0
        if unread:
            self._engine.drop(version.table.name)


def _load_part(part: Part, engine: Engine, table: str) -> Table:
    try:
        return part.load(engine, table)
    except DAMAGED as error:
        raise damaged("gzip", part.path) from error
    except duckdb.OutOfMemoryException:
        if not engine.grant_memory():
            raise
        return _load_part(part, engine, table)


def _close(found: Found) -> None:
    if not isinstance(found, ConfigError):
        close(found)


def _coded(parts: Sequence[Part], single: bool) -> dict[str, Part]:
    """Give each table a code: the name of its file, with the suffix where several files share the name, and of its sheet.

    Files of one name all have the suffix: a code never comes to mean another file because a file was added.
    """
    stems = {part.path: plain_stem(part.path) for part in parts}
    shared = Counter(stem.casefold() for stem in stems.values())
    codes: dict[str, Part] = {}
    for part in parts:
        code = stems[part.path]
        if shared[code.casefold()] > 1:
            code = part.path.name.replace(".", "_")
        if part.label:
            code = part.label if single else f"{code}.{part.label}"
        codes[code if code not in UNUSABLE_CODES else f"table_{code}"] = part
    return codes
