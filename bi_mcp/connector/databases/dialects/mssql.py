"""Microsoft SQL Server, through pymssql. Its statements are compiled by tests, but were not run against a server.

SQL Server has no transaction that only reads: give the login the right to read, and no other.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from inspect import signature
from typing import Any

import sqlalchemy as sa

from bi_mcp.connector.databases.dialects.dialect import Declared, Dialect, Expression, Form, LeftOut, Shape
from bi_mcp.connector.databases.dialects.forms import (
    ESCAPE,
    DecimalForms,
    cast_to,
    containing,
    in_lists_of,
    matching,
)
from bi_mcp.connector.databases.dialects.left_out import BINARY, GEOMETRY, UNKNOWN
from bi_mcp.connector.databases.dialects.zones import shifted
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

_EXACT = "Latin1_General_100_BIN2"
_ONE_OF = in_lists_of(10_000)
_AS_TEXT = cast_to(sa.NVARCHAR())
_DOUBLE = cast_to(sa.Double())


def _written(length: int, style: int) -> Shape:
    form: Expression = sa.literal_column(f"varchar({length})")
    return lambda operand: sa.func.convert(form, operand, sa.literal_column(str(style)))


_SECONDS = _written(19, 120)
_DAY = _written(10, 23)


def _moment(zone: tzinfo) -> Form:
    def in_utc(column: Expression) -> Expression:
        return sa.cast(sa.func.switchoffset(column, "+00:00"), sa.DateTime())

    def local(operand: Expression) -> Expression:
        return _SECONDS(
            shifted(operand, zone, lambda by: sa.func.dateadd(sa.literal_column("second"), by, operand))
        )

    return Form("datetime", "moment", operand=in_utc, read=local)


_WHOLE = Form("int", "whole")
_SHOWN = Form("string", "text", operand=_AS_TEXT)
_DATETIME = Form("datetime", "datetime", read=_SECONDS)
_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", read=cast_to(sa.BigInteger())),
    short=Form("double", "decimal", read=_DOUBLE),
    exact=Form("double", "decimal", read=_AS_TEXT, convert=exact_number),
    text=_SHOWN,
)
_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), _WHOLE),
    "bit": Form("int", "whole", operand=cast_to(sa.Integer())),
    "real": Form("double", "single", read=_DOUBLE),
    **dict.fromkeys(("float", "double precision"), Form("double", "double")),
    **dict.fromkeys(("char", "varchar", "nchar", "nvarchar"), Form("string", "text")),
    "date": Form("date", "date", read=_DAY),
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime"), _DATETIME),
}
_LEFT_OUT = {
    **dict.fromkeys(("binary", "varbinary", "image", "timestamp", "rowversion"), BINARY),
    **dict.fromkeys(("geometry", "geography"), GEOMETRY),
    "unknown": UNKNOWN,
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    name = declared.name.partition(" collate ")[0]
    if left_out := _LEFT_OUT.get(name):
        return left_out
    if name in {"numeric", "decimal"}:
        return _DECIMALS.of(declared, options)
    if name in {"money", "smallmoney"}:
        return _DECIMALS.choose(19 if name == "money" else 10, 4, options)
    if name == "datetimeoffset":
        return _moment(options.time_zone)
    return _FORMS.get(name, _SHOWN)


def _exact(text: Expression) -> Expression:
    # The mark at the end makes blanks before it count.
    return sa.collate(sa.cast(text, sa.NVARCHAR()) + sa.literal_column("N'.'"), _EXACT)


def _equal_text(operand: Expression, values: Sequence[str]) -> Expression:
    found = [sa.literal(value) for value in values]
    exact = [sa.literal(f"{value}.") for value in values]
    return sa.and_(operand.in_(found), _exact(operand).in_(exact))


def _like(operand: Expression, patterns: Sequence[str]) -> Expression:
    text = sa.func.lower(sa.collate(sa.cast(operand, sa.NVARCHAR()), _EXACT))
    # Brackets are special, too.
    escaped = [pattern.replace("[", f"{ESCAPE}[") for pattern in patterns]
    return sa.or_(*(text.like(sa.func.lower(sa.literal(pattern)), escape=ESCAPE) for pattern in escaped))


def _connect(options: SourceOptions) -> Mapping[str, Any]:
    return {
        "login_timeout": 5,
        "timeout": int(options.timeout),
        "appname": "bi-mcp connector",
        "read_only": True,
    }


def _driver_options() -> Collection[str]:
    return signature(importlib.import_module("pymssql").connect).parameters


def _failure_code(error: BaseException) -> str:
    # What fails while connecting comes with its arguments as one.
    first = error.args[0] if error.args else ""
    return str(first[0] if isinstance(first, tuple) and first else first)


MSSQL = Dialect(
    name="mssql",
    engine="mssql+pymssql",
    module="pymssql",
    extra="mssql",
    connect=_connect,
    driver_options=_driver_options,
    bounded=True,
    system_schemas=frozenset({"INFORMATION_SCHEMA", "sys", "guest", "db_*"}),
    forms=_form,
    given={
        "int": Form("int", "whole", operand=cast_to(sa.BigInteger())),
        "double": Form("double", "double", operand=_DOUBLE),
        "date": Form("date", "date", operand=cast_to(sa.Date()), read=_DAY),
        "datetime": Form("datetime", "datetime", operand=cast_to(sa.DateTime()), read=_SECONDS),
        "string": _SHOWN,
    },
    text=_AS_TEXT,
    equal_text=_equal_text,
    one_of=_ONE_OF,
    matches=matching(_like),
    contains=containing(_like),
    failures={
        "208": "no table",
        "207": "no column",
        "229": "not permitted",
        "916": "not permitted",
        "4060": "no database",
        "18456": "login refused",
        "20009": "no connection",
    },
    failure_code=_failure_code,
)
