"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from bi_mcp.connector.databases.dialects.dialect import (
    Catalogue,
    Declared,
    Dialect,
    Expression,
    Form,
    LeftOut,
    Shape,
)
from bi_mcp.connector.databases.dialects.forms import (
    DecimalForms,
    any_like,
    cast_to,
    containing,
    matching,
)
from bi_mcp.connector.databases.dialects.left_out import BINARY, GEOMETRY, IMAGE, SEARCH_INDEX, VECTOR
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

_TABLES = """
SELECT n.nspname, c.relname, pg_catalog.obj_description(c.oid, 'pg_class'),
    n.nspname = pg_catalog.current_schema()
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
"""
_ONE = " AND n.nspname = COALESCE(:schema, pg_catalog.current_schema()) AND c.relname = :table"
# A domain is what it is based on, however often.
_COLUMNS = """
WITH RECURSIVE typed(position, name, type, modifier) AS (
    SELECT a.attnum, a.attname, a.atttypid, a.atttypmod
    FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    UNION ALL
    SELECT d.position, d.name, t.typbasetype, t.typtypmod
    FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type AND t.typtype = 'd'
)
SELECT d.name, pg_catalog.format_type(d.type, d.modifier)
FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type
WHERE t.typtype <> 'd' ORDER BY d.position
"""

# What is neither a number nor a day of our calendar is sent as null: NaN, both infinities, years before Christ.
_NO_NUMBER = ("NaN", "Infinity", "-Infinity")


def _finite(operand: Expression) -> Expression:
    return sa.and_(operand > sa.literal_column("'-Infinity'"), operand < sa.literal_column("'Infinity'"))


def _is_number(operand: Expression) -> Expression:
    # Before PostgreSQL 14 the word Infinity was no number at all: it is compared as a text.
    return sa.cast(operand, sa.Text).not_in([sa.literal_column(f"'{text}'") for text in _NO_NUMBER])


def _is_not_nan(operand: Expression) -> Expression:
    # With a precision there is no infinity.
    return operand != sa.literal_column("'NaN'")


def _within(last: str) -> Shape:
    return lambda operand: sa.and_(
        operand >= sa.literal_column("'0001-01-01'"), operand <= sa.literal_column(f"'{last}'")
    )


def _seconds(operand: Expression) -> Expression:
    return sa.func.left(sa.cast(operand, sa.Text), sa.literal_column("19"))


_AS_TEXT = cast_to(sa.Text)
_DOUBLE = cast_to(sa.Double)

_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", read=cast_to(sa.BigInteger), present=_is_not_nan),
    short=Form("double", "decimal", read=_DOUBLE, present=_is_not_nan),
    exact=Form("double", "decimal", read=_AS_TEXT, present=_is_number, convert=exact_number),
    text=Form("string", "text", operand=_AS_TEXT, present=_is_number),
)
_WHOLE = Form("int", "whole")
_TEXT = Form("string", "text")
_SHOWN = Form("string", "text", operand=_AS_TEXT)
_DATETIME = Form("datetime", "datetime", read=_seconds, present=_within("9999-12-31 23:59:59.999999"))
_MOMENT = Form("datetime", "moment", read=_seconds, present=_within("9999-12-30"))
_DATE = Form("date", "date", read=_AS_TEXT, present=_within("9999-12-31"))
_DOUBLES = Form("double", "double", present=_finite)

_FORMS: Mapping[str, Form] = {
    "smallint": _WHOLE,
    "integer": _WHOLE,
    "bigint": _WHOLE,
    "oid": Form("int", "whole", operand=cast_to(sa.BigInteger)),
    "boolean": Form("int", "whole", operand=cast_to(sa.Integer)),
    "real": Form("double", "single", present=_finite),
    "double precision": _DOUBLES,
    "text": _TEXT,
    "character varying": _TEXT,
    "date": _DATE,
    "timestamp without time zone": _DATETIME,
    "timestamp with time zone": _MOMENT,
    "inet": Form("string", "text", operand=sa.func.abbrev),
}
_LEFT_OUT = {
    "bytea": BINARY,
    "geometry": GEOMETRY,
    "geography": GEOMETRY,
    "raster": IMAGE,
    "vector": VECTOR,
    "halfvec": VECTOR,
    "sparsevec": VECTOR,
    "tsvector": SEARCH_INDEX,
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    name = declared.name.rpartition(".")[2]
    if left_out := _LEFT_OUT.get(name.removesuffix("[]")):
        return left_out
    if name == "numeric":
        return _DECIMALS.of(declared, options)
    if name == "money":
        # Its cast to numeric is exact; the largest has 19 digits.
        form = _DECIMALS.choose(19, 2, options)
        numeric = cast_to(sa.Numeric)
        return Form(
            form.type,
            form.comparing,
            operand=numeric if form.comparing == "decimal" else lambda column: _AS_TEXT(numeric(column)),
            read=form.read,
            convert=form.convert,
        )
    # Whatever else there is has a text, the same that psql shows.
    return _FORMS.get(name, _SHOWN)


def zone_name(zone: tzinfo) -> str:
    """Name a time zone as PostgreSQL knows it; fixed distances count the other way round there."""
    if key := getattr(zone, "key", None):
        return str(key)
    distance = datetime.now(zone).strftime("%z")
    sign, clock = distance[0], f"{distance[1:3]}:{distance[3:5]}"
    return f"<{sign}{clock}>{'-' if sign == '+' else '+'}{clock}"


def _begin(options: SourceOptions) -> Sequence[str]:
    # Within the transaction, for the sake of poolers that share a session.
    zone = zone_name(options.time_zone).replace("'", "")
    settings = {
        "statement_timeout": str(int(options.timeout * 1000)),
        "datestyle": "ISO",
        "intervalstyle": "postgres",
        "extra_float_digits": "1",
        "bytea_output": "hex",
        "xmloption": "content",
        # Rows are read to the end: a plan that is quick with the first of them alone is the wrong one.
        "cursor_tuple_fraction": "1",
        "timezone": zone,
    }
    assigned = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    return (f"SET TRANSACTION READ ONLY; {assigned}",)


def _by_code_points(operand: Expression) -> Expression:
    return sa.collate(_AS_TEXT(operand), "C")


def _like(operand: Expression, patterns: Sequence[str]) -> Expression:
    # LIKE refuses collations that ignore case; that of the database never does.
    return any_like(sa.collate(_AS_TEXT(operand), "default"), patterns)


def _equal_text(operand: Expression, values: Sequence[str]) -> Expression:
    # The first part finds in an index, but more than is right where a collation ignores case.
    return sa.and_(_one_of(operand, values, sa.Text()), _one_of(_by_code_points(operand), values, sa.Text()))


def _one_of(operand: Expression, values: Sequence[Any], type: sa.types.TypeEngine[Any]) -> Expression:
    if len(values) == 1:
        return operand == sa.literal(values[0], type)
    # One parameter for a list of any length.
    return operand == sa.any_(sa.cast(sa.literal(list(values), ARRAY(type)), ARRAY(type)))


def _stop(driver: Any, _connect: Any) -> None:
    driver.cancel_safe(timeout=5)


def _driver_options() -> Collection[str]:
    psycopg = importlib.import_module("psycopg")
    of_library = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    return of_library | {"autocommit", "prepare_threshold"}


POSTGRESQL = Dialect(
    name="postgresql",
    engine="postgresql+psycopg",
    module="psycopg",
    extra="postgresql",
    begin=_begin,
    # Prepared statements would outlive the transaction, which poolers do not allow.
    connect=lambda options: {
        "connect_timeout": 5,
        "application_name": "bi-mcp connector",
        "client_encoding": "utf8",
        "prepare_threshold": None,
        "keepalives_idle": 30,
        "tcp_user_timeout": int(options.timeout * 1000) + 10_000,
    },
    driver_options=_driver_options,
    stop=_stop,
    bounded=True,
    catalogue=Catalogue(_TABLES, _ONE, " ORDER BY 1, 2", _COLUMNS),
    forms=_form,
    given={
        "int": Form("int", "whole", operand=cast_to(sa.BigInteger)),
        "double": Form("double", "double", operand=_DOUBLE, present=_finite),
        "date": Form("date", "date", operand=cast_to(sa.Date), read=_AS_TEXT, present=_DATE.present),
        "datetime": Form(
            "datetime", "datetime", operand=cast_to(sa.DateTime), read=_seconds, present=_DATETIME.present
        ),
        "string": _SHOWN,
    },
    text=_AS_TEXT,
    ordered=_by_code_points,
    equal_text=_equal_text,
    one_of=_one_of,
    matches=matching(_like),
    contains=containing(_like),
    failures={
        "42P01": "no table",
        "3F000": "no table",
        "42703": "no column",
        "57014": "stopped",
        "53300": "busy",
        "28P01": "login refused",
        "28000": "login refused",
        "3D000": "no database",
        "42501": "not permitted",
    },
    # While it connects, the driver gives no code; the server may speak Russian.
    failure_texts={
        "no password supplied": "login refused",
        "password authentication failed": "login refused",
        "не прошёл проверку подлинности": "login refused",
        'FATAL: role "': "login refused",
        'ВАЖНО: роль "': "login refused",
        'FATAL: database "': "no database",
        'ВАЖНО: база данных "': "no database",
        "pg_hba.conf": "not permitted",
        "permission denied for database": "not permitted",
        "нет доступа к базе данных": "not permitted",
        "connection slots are reserved": "busy",
        "too many clients": "busy",
        "too many connections": "busy",
    },
    failure_code=lambda error: getattr(error, "sqlstate", None) or "",
)
