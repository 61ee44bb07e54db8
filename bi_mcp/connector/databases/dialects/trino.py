"""Trino. Its statements are compiled by tests, but were not run against a server.

An address names the catalogue, and the schema if there is one: `trino://login@host:8080/catalogue/schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import sqlalchemy as sa

from bi_mcp.connector.databases.dialects.dialect import Declared, Dialect, Expression, Form, LeftOut
from bi_mcp.connector.databases.dialects.forms import (
    DecimalForms,
    any_like,
    cast_to,
    containing,
    in_lists_of,
    matching,
)
from bi_mcp.connector.databases.dialects.left_out import AGGREGATE, BINARY, GEOMETRY
from bi_mcp.connector.databases.dialects.zones import write_zone
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

_PORTS = {"http": 80, "https": 443}
_ONE_OF = in_lists_of(10_000)
_AS_TEXT = cast_to(sa.VARCHAR())
_DOUBLE = cast_to(sa.Double())


def _finite(operand: Expression) -> Expression:
    return sa.func.is_finite(operand)


def _seconds(operand: Expression) -> Expression:
    return sa.func.date_format(operand, "%Y-%m-%d %H:%i:%s")


def _moment(zone: tzinfo) -> Form:
    def local(operand: Expression) -> Expression:
        return _seconds(sa.func.at_timezone(operand, write_zone(zone)))

    return Form("datetime", "moment", read=local)


_WHOLE = Form("int", "whole")
_SHOWN = Form("string", "text", operand=_AS_TEXT)
_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", read=cast_to(sa.BigInteger())),
    short=Form("double", "decimal", read=_DOUBLE),
    exact=Form("double", "decimal", read=_AS_TEXT, convert=exact_number),
    text=_SHOWN,
)
_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), _WHOLE),
    "boolean": Form("int", "whole", operand=cast_to(sa.Integer())),
    "real": Form("double", "single", read=_DOUBLE, present=_finite),
    **dict.fromkeys(("double", "double precision"), Form("double", "double", present=_finite)),
    "varchar": Form("string", "text"),
    "date": Form("date", "date", read=_AS_TEXT),
    **dict.fromkeys(
        ("timestamp", "timestamp without time zone"), Form("datetime", "datetime", read=_seconds)
    ),
    **dict.fromkeys(
        ("json", "unknown"),
        Form("string", "text", operand=lambda column: sa.func.json_format(sa.cast(column, sa.JSON()))),
    ),
}
_LEFT_OUT = {
    "varbinary": BINARY,
    "geometry": GEOMETRY,
    **dict.fromkeys(("hyperloglog", "p4hyperloglog", "qdigest", "tdigest"), AGGREGATE),
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    if left_out := _LEFT_OUT.get(declared.name):
        return left_out
    if declared.name in {"decimal", "numeric"}:
        return _DECIMALS.of(declared, options)
    if declared.name == "timestamp with time zone":
        return _moment(options.time_zone)
    is_nested = declared.name.startswith(("array", "map", "row"))
    return _FORMS["json"] if is_nested else _FORMS.get(declared.name, _SHOWN)


def _connect(options: SourceOptions) -> Mapping[str, Any]:
    return {
        "source": "bi-mcp connector",
        "request_timeout": 30,
        "session_properties": {"query_max_run_time": f"{int(options.timeout)}s"},
    }


class _ElsewhereError(OSError):
    """The server sent the driver to another host."""


class _Nowhere:
    """Stands where the driver has its way to hosts, and leads to none."""

    def send(self, *_: object, **__: object) -> None:
        raise _ElsewhereError("The server leads to another host than the one of the address, or was stopped.")

    def close(self) -> None:
        """Hold nothing."""


def _prepare(driver: Any, _options: SourceOptions) -> None:
    # A server names the address of each next part of an answer. The driver has no public way to bind it to one host.
    session = driver._http_session  # noqa: SLF001
    host = f"[{driver.host}]" if ":" in driver.host else driver.host
    scheme = driver.http_scheme
    places = [f"{host}:{driver.port}"] + ([host] if driver.port == _PORTS[scheme] else [])
    own = session.get_adapter(f"{scheme}://{host}/")
    session.mount("http://", _Nowhere())
    session.mount("https://", _Nowhere())
    for place in places:
        session.mount(f"{scheme}://{place}/".lower(), own)


def _stop(driver: Any, _connect: object) -> None:
    # A server may promise next parts without end; closing the session alone would let the driver ask on.
    session = driver._http_session  # noqa: SLF001  as above
    for place in [*session.adapters]:
        session.mount(place, _Nowhere())
    driver.close()


TRINO = Dialect(
    name="trino",
    engine="trino",
    module="trino",
    extra="trino",
    connect=_connect,
    prepare=_prepare,
    stop=_stop,
    system_schemas=frozenset({"information_schema"}),
    forms=_form,
    given={
        "int": Form("int", "whole", operand=cast_to(sa.BigInteger())),
        "double": Form("double", "double", operand=_DOUBLE, present=_finite),
        "date": Form("date", "date", operand=cast_to(sa.Date()), read=_AS_TEXT),
        "datetime": Form("datetime", "datetime", operand=cast_to(sa.TIMESTAMP()), read=_seconds),
        "string": _SHOWN,
    },
    text=_AS_TEXT,
    equal_text=lambda operand, values: _ONE_OF(operand, values, sa.String()),
    one_of=_ONE_OF,
    matches=matching(any_like),
    contains=containing(any_like),
    failures={
        "TABLE_NOT_FOUND": "no table",
        "COLUMN_NOT_FOUND": "no column",
        "CATALOG_NOT_FOUND": "no database",
        "SCHEMA_NOT_FOUND": "no database",
        "MISSING_CATALOG_NAME": "no database",
        "PERMISSION_DENIED": "not permitted",
    },
    failure_texts={"error 401": "login refused", "error 403": "not permitted"},
    failure_code=lambda error: str(getattr(error, "error_name", "")),
)
