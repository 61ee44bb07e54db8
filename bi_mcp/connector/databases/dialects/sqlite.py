"""SQLite, through the driver of Python. Its declarations bind nobody, so the values are looked at, see `sqlite_values`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.engine import URL

from bi_mcp.connector.databases.dialects.dialect import (
    Catalogue,
    Declared,
    Dialect,
    Expression,
    Failure,
    Form,
    LeftOut,
)
from bi_mcp.connector.databases.dialects.forms import cast_to
from bi_mcp.connector.databases.dialects.left_out import BINARY
from bi_mcp.connector.databases.dialects.sqlite_values import (
    FORMS,
    declared_type,
    examine_values,
    finite,
    schema_version,
    shown_text,
)
from bi_mcp.connector.databases.dialects.text_search import contains_any, fits_any
from bi_mcp.connector.options import SourceOptions

_TABLES = """
SELECT 'main', name, NULL, 1 FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_ONE = " AND name = :table AND COALESCE(:schema, 'main') = 'main'"
# 1 are the hidden columns of virtual tables.
_COLUMNS = "SELECT name, type FROM pragma_table_xinfo(:table, :schema) WHERE hidden <> 1 ORDER BY cid"


def _form(declared: Declared, _options: SourceOptions) -> Form | LeftOut:
    if "blob" in declared.name:
        return BINARY
    return FORMS[declared_type(declared.name) or "string"]


def _prepare(driver: Any, options: SourceOptions) -> None:
    driver.text_factory = decode = _decoder(options.encoding)
    driver.create_function(
        "decoded", 1, lambda text: None if text is None else decode(text), deterministic=True
    )
    for function in (contains_any, fits_any):
        driver.create_function(function.__name__, 2, function, deterministic=True)
    driver.execute("PRAGMA query_only = ON").close()


def _decoder(encoding: str | None) -> Callable[[bytes], str]:
    replacing = partial(str, encoding="utf-8", errors="replace")
    if encoding is None:
        return replacing

    def decode(text: bytes) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError:
            return text.decode(encoding, "replace")

    return decode


def _listed(values: Sequence[Any]) -> Expression:
    # One parameter for a list of any length.
    return sa.literal(json.dumps(list(values)))


def _one_of(operand: Expression, values: Sequence[Any], type: sa.types.TypeEngine[Any]) -> Expression:
    if len(values) == 1:
        return operand == sa.literal(values[0], type)
    each = sa.func.json_each(_listed(values)).table_valued("value")
    return operand.in_(sa.select(each.c.value))


def _searched(operand: Expression) -> Expression:
    # Python's functions take no text that is not UTF-8.
    return sa.cast(operand, sa.LargeBinary)


_FAILURES: Mapping[str, Failure] = {
    "no such table": "no table",
    "no such column": "no column",
    "interrupted": "stopped",
    "database is locked": "busy",
    "unable to open database file": "no file",
    "file is not a database": "no database file",
}


def _failure_code(error: BaseException) -> str:
    return next((part for part in _FAILURES if part in str(error)), "")


def _locate(url: URL) -> URL:
    # A file that is opened for reading is not made where it is missing.
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    return url.set(database=f"file:{quote(url.database)}", query={"mode": "ro", "uri": "true"})


def _fingerprint(url: URL) -> object:
    path = unquote((url.database or "").removeprefix("file:"))
    return tuple(_state(Path(path + ending)) for ending in ("", "-wal"))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


SQLITE = Dialect(
    name="sqlite",
    engine="sqlite+pysqlite",
    module="sqlite3",
    prepare=_prepare,
    connect=lambda _: {"timeout": 5, "check_same_thread": False},
    locate=_locate,
    fingerprint=_fingerprint,
    stop=lambda driver, _: driver.interrupt(),
    catalogue=Catalogue(_TABLES, _ONE, " ORDER BY name", _COLUMNS),
    forms=_form,
    examine=examine_values,
    declarations=schema_version,
    given={
        "int": Form("int", "whole", operand=cast_to(sa.INTEGER)),
        "double": Form("double", "double", operand=cast_to(sa.REAL), present=finite),
        "date": Form("date", "text", operand=sa.func.date),
        "datetime": Form("datetime", "text", operand=sa.func.datetime),
        "string": FORMS["string"],
    },
    text=shown_text,
    equal_text=lambda operand, values: _one_of(operand, values, sa.String()),
    one_of=_one_of,
    matches=lambda operand, patterns: sa.func.fits_any(_searched(operand), _listed(patterns)) == 1,
    contains=lambda operand, parts: sa.func.contains_any(_searched(operand), _listed(parts)) == 1,
    failures=_FAILURES,
    failure_code=_failure_code,
)
