"""MySQL and MariaDB, through PyMySQL. What only one of them knows is not used."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from inspect import signature
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import BIGINT

from bi_mcp.connector.databases.dialects.dialect import (
    Catalogue,
    Declared,
    Dialect,
    Expression,
    Form,
    LeftOut,
)
from bi_mcp.connector.databases.dialects.forms import (
    ESCAPE,
    DecimalForms,
    cast_to,
    containing,
    in_lists_of,
    matching,
)
from bi_mcp.connector.databases.dialects.left_out import BINARY, GEOMETRY, VECTOR
from bi_mcp.connector.databases.dialects.zones import shifted
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

_TABLES = """
SELECT table_schema, table_name, CASE table_type WHEN 'VIEW' THEN NULL ELSE table_comment END,
    COALESCE(table_schema = DATABASE(), 0)
FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
"""
# Names have no characters of four bytes; a text with one would not even be compared with them.
_ONE = " AND table_schema = COALESCE(CONVERT(:schema USING utf8), DATABASE()) AND table_name = CONVERT(:table USING utf8)"
_COLUMNS = """
SELECT column_name, CONCAT(column_type, CASE WHEN character_set_name NOT LIKE 'utf8%' THEN ' legacy' ELSE '' END)
FROM information_schema.columns WHERE table_schema = :schema AND table_name = :table ORDER BY ordinal_position
"""

LAST_OF_UTF8MB3 = "\uffff"

_AS_TEXT = cast_to(sa.CHAR)
_ONE_OF = in_lists_of(10_000)


def _double(operand: Expression) -> Expression:
    # MySQL casts to a double only since 8.0.17.
    return operand + sa.literal_column("0e0")


def _in_utf8(operand: Expression) -> Expression:
    return sa.func.convert(operand.op("USING")(sa.literal_column("utf8mb4")))


def _bytes(operand: Expression) -> Expression:
    return sa.cast(_in_utf8(operand), sa.BINARY)


def _is_day(operand: Expression) -> Expression:
    # 0000-00-00, and dates of which only the month or the day is zero.
    return sa.and_(sa.func.year(operand) > 0, sa.func.month(operand) > 0, sa.func.dayofmonth(operand) > 0)


def _seconds(operand: Expression) -> Expression:
    return sa.func.left(_AS_TEXT(operand), sa.literal_column("19"))


def _moment(zone: tzinfo) -> Form:
    """The form of TIMESTAMP: sessions see them in UTC, and few servers know zones by name."""

    def local(operand: Expression) -> Expression:
        def add(seconds: Expression) -> Expression:
            return sa.func.timestampadd(sa.literal_column("SECOND"), seconds, operand)

        return _seconds(shifted(operand, zone, add))

    return Form("datetime", "moment", read=local, present=_is_day)


def _single(number: float) -> float:
    """The shortest number that a FLOAT holds as the same bits: 0.1, and not 0.10000000149."""
    bits = struct.pack("f", number)
    for digits in range(6, 9):
        shorter = float(f"{number:.{digits}g}")
        if struct.pack("f", shorter) == bits:
            return shorter
    return float(f"{number:.9g}")


_WHOLE = Form("int", "whole")
_TEXT = Form("string", "text")
_SHOWN = Form("string", "text", operand=_AS_TEXT)
_LEGACY = Form("string", "text", operand=_in_utf8)
_DATE = Form("date", "date", read=_AS_TEXT, present=_is_day)
_DATETIME = Form("datetime", "datetime", read=_seconds, present=_is_day)
_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", read=cast_to(BIGINT)),
    short=Form("double", "decimal", read=_double),
    exact=Form("double", "decimal", read=_AS_TEXT, convert=exact_number),
    text=Form("string", "text", operand=_AS_TEXT),
)

# By the first word of a declaration: `int unsigned`.
_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), _WHOLE),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), _TEXT),
    "bit": Form("int", "whole", operand=lambda column: column + sa.literal_column("0")),
    "float": Form("double", "single", read=_double, convert=_single),
    "double": Form("double", "double"),
    "date": _DATE,
    "datetime": _DATETIME,
}
_LEFT_OUT = {
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), BINARY),
    **dict.fromkeys(
        (
            "geometry",
            "point",
            "linestring",
            "polygon",
            "multipoint",
            "multilinestring",
            "multipolygon",
            "geometrycollection",
            "geomcollection",
        ),
        GEOMETRY,
    ),
    "vector": VECTOR,
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    name = declared.name.partition(" ")[0]
    if left_out := _LEFT_OUT.get(name):
        return left_out
    if name == "decimal":
        return _DECIMALS.of(declared, options)
    if name == "timestamp":
        return _moment(options.time_zone)
    if declared.name.endswith(" legacy"):
        # A legacy encoding cannot be compared with what it has no letters for.
        return _LEGACY
    # Whatever else there is has a text: time, enum, set, json, uuid, inet6.
    return _FORMS.get(name, _SHOWN)


def _equal_text(operand: Expression, values: Sequence[str]) -> Expression:
    # The first part finds more than is right (capitals, accents, blanks at the end), but in an index.
    indexed = operand
    if any(character > LAST_OF_UTF8MB3 for value in values for character in value):
        # A column of the older UTF-8 of three bytes cannot even be compared with it.
        indexed = _in_utf8(operand)
    found, exact = ([sa.literal(value) for value in values] for _ in range(2))
    if len(values) == 1:
        return sa.and_(indexed == found[0], _bytes(operand) == exact[0])
    return sa.and_(indexed.in_(found), _bytes(operand).in_(exact))


def _like(operand: Expression, patterns: Sequence[str]) -> Expression:
    text = sa.collate(sa.func.lower(_in_utf8(operand)), "utf8mb4_bin")
    return sa.or_(*(text.like(sa.func.lower(sa.literal(pattern)), escape=ESCAPE) for pattern in patterns))


def _stop(driver: Any, connect: Any) -> None:
    other = connect()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(driver.thread_id())}")
    finally:
        other.close()


def _prepare(driver: Any, _options: SourceOptions) -> None:
    with driver.cursor() as cursor:
        # Statements such as CREATE end a transaction before they run: each new one only reads, too.
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _abandon(driver: Any) -> None:
    # PyMySQL would read the rest first, and cannot when the server has gone. It has no public way to say so.
    if driver._result is not None:  # noqa: SLF001
        driver._result.unbuffered_active = False  # noqa: SLF001


def _driver_options() -> Collection[str]:
    return signature(importlib.import_module("pymysql").connect).parameters


MYSQL = Dialect(
    name="mysql",
    engine="mysql+pymysql",
    module="pymysql",
    extra="mysql",
    begin=lambda _: ("START TRANSACTION READ ONLY",),
    connect=lambda options: {
        "charset": "utf8mb4",
        "connect_timeout": 5,
        # A server that is gone for good; a query that takes too long is stopped before.
        "read_timeout": options.timeout + 10,
        "write_timeout": options.timeout + 10,
        "init_command": "SET SESSION sql_mode = '', time_zone = '+00:00'",
        "program_name": "bi-mcp connector",
    },
    driver_options=_driver_options,
    prepare=_prepare,
    stop=_stop,
    abandon=_abandon,
    own_schema=True,
    system_schemas=frozenset({"information_schema", "mysql", "performance_schema", "sys"}),
    catalogue=Catalogue(_TABLES, _ONE, " ORDER BY 1, 2", _COLUMNS),
    forms=_form,
    given={
        "int": Form("int", "whole", operand=cast_to(BIGINT)),
        "double": Form("double", "double", operand=_double),
        "date": Form("date", "date", operand=cast_to(sa.Date), read=_AS_TEXT, present=_is_day),
        "datetime": Form(
            "datetime", "datetime", operand=cast_to(sa.DateTime), read=_seconds, present=_is_day
        ),
        "string": _SHOWN,
    },
    text=_AS_TEXT,
    ordered=_bytes,
    equal_text=_equal_text,
    one_of=_ONE_OF,
    matches=matching(_like),
    contains=containing(_like),
    failures={
        "1146": "no table",
        "1054": "no column",
        "1317": "stopped",
        "1969": "too long",
        "3024": "too long",
        "1040": "busy",
        "1203": "busy",
        "1045": "login refused",
        "1698": "login refused",
        "1130": "not permitted",
        "1044": "not permitted",
        "1142": "not permitted",
        "1049": "no database",
    },
    failure_code=lambda error: str(error.args[0]) if error.args else "",
)
