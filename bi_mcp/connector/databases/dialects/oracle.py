"""Oracle, through oracledb. Its statements are compiled by tests, but were not run against a server.

An empty text is a missing value there. Of a CLOB the first 4,000 characters are served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.oracle import BINARY_DOUBLE

from bi_mcp.connector.databases.dialects.dialect import (
    Declared,
    Dialect,
    Expression,
    Form,
    LeftOut,
)
from bi_mcp.connector.databases.dialects.forms import (
    DecimalForms,
    any_like,
    cast_to,
    containing,
    in_lists_of,
    matching,
)
from bi_mcp.connector.databases.dialects.left_out import BINARY, OLD_TEXT, UNKNOWN
from bi_mcp.connector.databases.dialects.zones import write_zone
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

# Oracle's bound of an IN list.
_ONE_OF = in_lists_of(1000)
_DOUBLE = cast_to(BINARY_DOUBLE())
_SECONDS = "YYYY-MM-DD HH24:MI:SS"


def _text(operand: Expression) -> Expression:
    return sa.func.to_char(operand)


def _number(operand: Expression) -> Expression:
    # With a point, whatever the territory.
    return sa.func.to_char(operand, "TM9", "NLS_NUMERIC_CHARACTERS='. '")


def _seconds(operand: Expression) -> Expression:
    return sa.func.to_char(operand, _SECONDS)


def _finite(operand: Expression) -> Expression:
    limit: Expression = sa.literal_column("BINARY_DOUBLE_INFINITY")
    return sa.and_(operand > -limit, operand < limit)


def _moment(zone: tzinfo) -> Form:
    def local(operand: Expression) -> Expression:
        in_utc = sa.func.from_tz(operand, "UTC")
        return _seconds(in_utc.op("AT TIME ZONE")(sa.literal(write_zone(zone))))

    return Form("datetime", "moment", operand=sa.func.sys_extract_utc, read=local)


_SHOWN = Form("string", "text", operand=_text)
_DATETIME = Form("datetime", "datetime", read=_seconds)
_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", convert=int),
    short=Form("double", "decimal", read=_DOUBLE),
    exact=Form("double", "decimal", read=_number, convert=exact_number),
    text=Form("string", "text", operand=_number),
)
_FORMS: Mapping[str, Form] = {
    "integer": _DECIMALS.exact,
    "float": Form("double", "decimal", read=_DOUBLE),
    "binary_float": Form("double", "single", read=_DOUBLE, present=_finite),
    "binary_double": Form("double", "double", present=_finite),
    **dict.fromkeys(("char", "varchar", "varchar2", "nchar", "nvarchar2"), Form("string", "text")),
    **dict.fromkeys(
        ("clob", "nclob"),
        Form("string", "text", operand=lambda column: sa.func.dbms_lob.substr(column, 4000, 1)),
    ),
    # It holds a time of day as well.
    "date": _DATETIME,
    "timestamp": _DATETIME,
}
_LEFT_OUT = {
    **dict.fromkeys(("blob", "raw", "long raw", "bfile"), BINARY),
    "long": OLD_TEXT,
    "unknown": UNKNOWN,
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    name = declared.name.partition(" char")[0] if declared.name.startswith("varchar") else declared.name
    if left_out := _LEFT_OUT.get(name):
        return left_out
    if name in {"number", "numeric", "decimal"}:
        return _DECIMALS.of(declared, options)
    if name in {"timestamp with time zone", "timestamp with local time zone"}:
        return _moment(options.time_zone)
    return _FORMS.get(name, _SHOWN)


def _equal_text(operand: Expression, values: Sequence[str]) -> Expression:
    if list(values) == [""]:
        return operand.is_(None)
    return _ONE_OF(operand, values, sa.String())


def _connect(_options: SourceOptions) -> Mapping[str, Any]:
    return {"tcp_connect_timeout": 5}


def _prepare(driver: Any, options: SourceOptions) -> None:
    driver.call_timeout = int(options.timeout * 1000)
    driver.module = "bi-mcp connector"


ORACLE = Dialect(
    name="oracle",
    engine="oracle+oracledb",
    module="oracledb",
    extra="oracle",
    begin=lambda _: ("SET TRANSACTION READ ONLY",),
    connect=_connect,
    prepare=_prepare,
    stop=lambda driver, _: driver.cancel(),
    bounded=True,
    own_schema=True,
    system_schemas=frozenset({"sys", "system", "xdb", "ctxsys", "mdsys", "outln", "dbsnmp", "audsys"}),
    forms=_form,
    given={
        "int": Form("int", "decimal", operand=sa.func.to_number, convert=int),
        "double": Form("double", "double", operand=_DOUBLE),
        "date": Form(
            "date",
            "date",
            operand=cast_to(sa.DATE()),
            read=lambda operand: sa.func.to_char(operand, "YYYY-MM-DD"),
        ),
        "datetime": Form("datetime", "datetime", operand=cast_to(sa.TIMESTAMP()), read=_seconds),
        "string": _SHOWN,
    },
    text=_text,
    equal_text=_equal_text,
    one_of=_ONE_OF,
    matches=matching(any_like),
    contains=containing(any_like),
    failures={
        "942": "no table",
        "904": "no column",
        "1013": "stopped",
        "1005": "login refused",
        "1017": "login refused",
        "1031": "not permitted",
        "1045": "not permitted",
        "12505": "no database",
        "12514": "no database",
    },
    failure_texts={
        "DPY-4001": "login refused",
        "DPY-6001": "no database",
        "DPY-6003": "no database",
    },
    failure_code=lambda error: str(getattr(error.args[0], "code", "")) if error.args else "",
)
