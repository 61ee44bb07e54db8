"""What a file holds: a table, a table per sheet, or a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.connector.files.delimited import examine, load_delimited
from bi_mcp.connector.files.engine import Engine
from bi_mcp.connector.files.json_lines import examine_json, load_json
from bi_mcp.connector.files.kinds import DAMAGED, DataFile, damaged, plain_stem, recognise
from bi_mcp.connector.files.parquet import load_parquet
from bi_mcp.connector.files.table import Table, build_table
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.refusal import SourceError
from bi_mcp.connector.source import Source
from bi_mcp.errors import ConfigError

# Changes with the contents of a file.
Signature: TypeAlias = tuple[int, int, int]
Load: TypeAlias = Callable[[Engine, str], Table]


@dataclass(frozen=True)
class Part:
    """A table of a file. `label` is the name of its sheet, or its code in the database that is the file."""

    path: Path
    load: Load
    label: str = ""
    source: Source | None = None
    # What is known about the whole file.
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.path.name}, {self.label!r}" if self.label else self.path.name


def refresh(parts: Sequence[Part]) -> Sequence[Part]:
    """Ask a database anew for its tables; those of other files are known."""
    if not parts or parts[0].source is None:
        return parts
    return [replace(part, notes=parts[0].notes) for part in _parts_of(parts[0].path, parts[0].source)]


def close(parts: Sequence[Part]) -> None:
    """Close the database that the parts are read from, if it is one."""
    if parts and parts[0].source:
        parts[0].source.close()


def sign(path: Path) -> Signature:
    """Return what changes with a file; zeros when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def examine_file(path: Path, options: SourceOptions) -> Sequence[Part]:
    """Look into a file. Raises ConfigError, which names it, if it holds no table."""
    try:
        file = recognise(path)
        told = (file.surprise,) if file.surprise else ()
        return [replace(part, notes=told) for part in _EXAMINERS[file.kind](file, options)]
    except DAMAGED:
        raise damaged("gzip", path) from None
    except OSError as error:
        raise ConfigError(
            say(
                "{name} cannot be read ({strerror}). Let the connector's user read it, or remove it.",
                name=path.name,
                strerror=error.strerror or error,
            )
        ) from None


def _delimited(file: DataFile, options: SourceOptions) -> Sequence[Part]:
    examined = examine(file, options)
    if file.suggested not in {None, "text", "json"} and not examined.is_plausible():
        raise ConfigError(
            say("{surprise}, and it holds no table. Export it again, or remove it.", surprise=file.surprise)
        )

    def load(engine: Engine, code: str) -> Table:
        return build_table(engine, load_delimited(engine, file, options), code, options)

    return [Part(file.path, load)]


def _json(file: DataFile, options: SourceOptions) -> Sequence[Part]:
    objects = examine_json(file, options)

    def load(engine: Engine, code: str) -> Table:
        return build_table(engine, load_json(engine, objects, options), code, options)

    return [Part(file.path, load)]


def _workbook(file: DataFile, options: SourceOptions) -> Sequence[Part]:
    from bi_mcp.connector.files.spreadsheet import load_sheet, sheet_names

    def loading(name: str) -> Load:
        return lambda engine, code: build_table(
            engine, load_sheet(engine, file.path, name, options), code, options
        )

    names = sheet_names(file.path)
    if not names:
        raise ConfigError(
            say("{name} has no sheet that is shown. Unhide one, or remove the file.", name=file.name)
        )
    # A workbook of one sheet is called like the file.
    return [Part(file.path, loading(name), name if len(names) > 1 else "") for name in names]


def _parquet(file: DataFile, options: SourceOptions) -> Sequence[Part]:
    return [Part(file.path, lambda engine, code: load_parquet(engine, file.path, options, code))]


def _sqlite(file: DataFile, options: SourceOptions) -> Sequence[Part]:
    source = _open_sqlite(file.path, options)
    try:
        return _parts_of(file.path, source)
    except SourceError as error:
        source.close()
        raise ConfigError(
            say(
                "{name} cannot be read as a SQLite file. Restore it, or remove it. {cause}",
                name=file.name,
                cause=error.cause,
            )
        ) from None


def _parts_of(path: Path, source: Source) -> Sequence[Part]:
    return [Part(path, _never, code, source) for code in source.tables()]


def _open_sqlite(path: Path, options: SourceOptions) -> Source:
    from sqlalchemy.engine import URL

    from bi_mcp.connector.databases import open_database

    own = options.types.items()
    types = {code.removeprefix(f"{plain_stem(path)}."): declared for code, declared in own}
    address = URL.create("sqlite", database=str(path.resolve())).render_as_string(hide_password=False)
    return open_database(Secret(address), replace(options, tables=(), schemas=(), types=types))


def _never(engine: Engine, code: str) -> Table:
    raise NotImplementedError(f"{code} of {engine} is read where it is.")


_EXAMINERS: dict[str, Callable[[DataFile, SourceOptions], Sequence[Part]]] = {
    "text": _delimited,
    "json": _json,
    "workbook": _workbook,
    "parquet": _parquet,
    "sqlite": _sqlite,
}
