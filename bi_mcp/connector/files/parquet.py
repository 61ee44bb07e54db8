"""Parquet: every column declares its type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bi_mcp.base.language import say, text
from bi_mcp.connector.columns import Type
from bi_mcp.connector.files.engine import Engine, quote
from bi_mcp.connector.files.kinds import damaged
from bi_mcp.connector.files.profile import STORED
from bi_mcp.connector.files.table import Table, build_columns, zone_name
from bi_mcp.connector.options import LongNumbers, SourceOptions
from bi_mcp.errors import ConfigError


@dataclass(frozen=True)
class _Mapping:
    """What becomes of a declared type; no type means that the column is left out. `words` tell a person about it."""

    pattern: str
    type: Type | None
    sql: str = "{}"
    words: str = ""
    is_exact: bool = False


_MAPPINGS = tuple(
    _Mapping(*declared)
    for declared in (
        (
            r".*\[\d*\]|STRUCT.*|MAP.*|UNION.*|JSON|VARIANT",
            "string",
            "CAST(to_json({}) AS VARCHAR)",
            text("as JSON"),
        ),
        (r"U?(TINY|SMALL)INT|U?INTEGER|BIGINT", "int", "CAST({} AS BIGINT)"),
        (r"BOOLEAN", "int", "CAST({} AS BIGINT)", text("true is 1, false is 0")),
        # As it is written: 0.1 of 32 bits is 0.1.
        (r"FLOAT", "double", "CASE WHEN isfinite({}) THEN CAST(CAST({} AS VARCHAR) AS DOUBLE) END"),
        (r"DOUBLE", "double", "CASE WHEN isfinite({}) THEN CAST({} AS DOUBLE) END"),
        # Neither an infinite day nor one before our era can be written.
        (r"DATE", "date", "CASE WHEN isfinite({}) AND year({}) > 0 THEN {} END"),
        (
            r"TIMESTAMP WITH TIME ZONE",
            "datetime",
            "CASE WHEN isfinite({}) AND year({}) > 0 THEN date_trunc('second', CAST({} AS TIMESTAMP)) END",
            text("moments with a zone become the time of {zone}"),
        ),
        (
            r"TIMESTAMP.*|DATETIME",
            "datetime",
            "CASE WHEN isfinite({}) AND year({}) > 0 THEN date_trunc('second', CAST({} AS TIMESTAMP)) END",
        ),
        (r'"?NULL"?', "string", "CAST({} AS VARCHAR)"),
        (r"VARCHAR|UUID|ENUM.*|TIME.*|INTERVAL|BIT.*", "string", "CAST({} AS VARCHAR)"),
        (r"BLOB", None, "", text("It holds binary data.")),
    )
)
_WHOLE = r"UBIGINT|U?HUGEINT"
_LONG: Mapping[LongNumbers, Sequence[_Mapping]] = {
    "exact": [_Mapping(_WHOLE, "int", is_exact=True)],
    "text": [_Mapping(_WHOLE, "string", "CAST({} AS VARCHAR)", text("long numbers are texts"))],
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def load_parquet(engine: Engine, path: Path, options: SourceOptions, code: str) -> Table:
    """Load a file. Raises ConfigError for a damaged one."""
    with engine.cursor() as cursor:
        cursor.execute(f"SET TimeZone = {quote(zone_name(options))}")
        source = f"read_parquet({quote(str(path))})"
        try:
            described = cursor.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - the path is quoted
        except duckdb.Error as error:
            raise damaged("parquet", path) from error
        names = [str(row[0]) for row in described]
        found = [_mapping(str(row[1]), options) for row in described]
        zone = str(options.time_zone)
        told = [_told(mapping, str(row[1]), zone) for mapping, row in zip(found, described, strict=True)]
        kept = [at for at, mapping in enumerate(found) if mapping.type]
        if not kept:
            raise ConfigError(
                say(
                    "{name} has no column that can be shown. Export others as well, or remove it.",
                    name=path.name,
                )
            )
        columns = build_columns(names, [mapping.type or "string" for mapping in found], options)
        declared = options.types.get(code, {})
        table = engine.new_name("data")
        selected = []
        for at in kept:
            sql = found[at].sql.replace("{}", '"' + names[at].replace('"', '""') + '"')
            wanted = declared.get(columns[at].code)
            if wanted:
                sql = f"TRY_CAST({sql} AS {STORED[wanted]})"
            selected.append(f"{sql} AS c{at}")
        cursor.execute(f"CREATE TABLE {table} AS SELECT {', '.join(selected)} FROM {source}")  # noqa: S608 - names are the engine's own, texts are quoted
    types = [declared.get(column.code, column.type) for column in columns]
    columns = build_columns(names, types, options)
    return Table(
        table,
        tuple(columns[at] for at in kept),
        {columns[at].code: f"c{at}" for at in kept},
        tuple(_note(names[at], told[at]) for at in kept if told[at]),
        {names[at]: told[at] for at in range(len(names)) if at not in kept},
        frozenset(columns[at].code for at in kept if found[at].is_exact and columns[at].code not in declared),
    )


def _told(mapping: _Mapping, declared: str, zone: str) -> str:
    return say(mapping.words, declared=declared, zone=zone) if mapping.words else ""


def _note(name: str, told: str) -> str:
    return say("column {name!r}: {notes}", name=name, notes=told)


def _mapping(declared: str, options: SourceOptions) -> _Mapping:
    if decimal := _DECIMAL.fullmatch(declared):
        return _decimal(int(decimal[1]), int(decimal[2]), options)
    for mapping in (*_LONG[options.long_numbers], *_MAPPINGS):
        if re.fullmatch(mapping.pattern, declared):
            return mapping
    return _Mapping("", None, "", text("Values of type {declared} cannot be shown."))


def _decimal(precision: int, scale: int, options: SourceOptions) -> _Mapping:
    if precision <= 15:
        return _Mapping("", "double" if scale else "int", f"CAST({{}} AS {'DOUBLE' if scale else 'BIGINT'})")
    if not scale and precision <= 18:
        return _Mapping("", "int", "CAST({} AS BIGINT)")
    if options.long_numbers == "exact":
        return _Mapping("", "double" if scale else "int", is_exact=True)
    return _Mapping("", "string", "CAST({} AS VARCHAR)", text("numbers of type {declared} are texts"))
