"""ClickHouse, through clickhouse-connect. Its statements are compiled by tests, but were not run against a server.

Redirects are not followed: they would lead to a host that nobody chose. An address with options for TLS is the exception, as
the driver then makes its own pool of connections.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from bi_mcp.connector.columns import Value
from bi_mcp.connector.databases.dialects.dialect import (
    Catalogue,
    Declared,
    Dialect,
    Expression,
    Form,
    LeftOut,
    Shape,
    parse_declared,
)
from bi_mcp.connector.databases.dialects.forms import DecimalForms, in_lists_of
from bi_mcp.connector.databases.dialects.left_out import AGGREGATE, GEOMETRY
from bi_mcp.connector.exact_numbers import exact_number
from bi_mcp.connector.options import SourceOptions

_TABLES = """
SELECT database, name, comment, database = currentDatabase()
FROM system.tables WHERE NOT is_temporary AND name NOT LIKE '.inner%'
"""
_ONE = " AND database = coalesce(:schema, currentDatabase()) AND name = :table"
_COLUMNS = """
SELECT name, type FROM system.columns WHERE database = :schema AND table = :table ORDER BY position
"""

_ONE_OF = in_lists_of(10_000)
_CODE = re.compile(r"(?:Code:|error code) (\d+)")
_TLS_OPTIONS = frozenset(
    (
        "verify",
        "ca_cert",
        "client_cert",
        "client_cert_key",
        "server_host_name",
        "tls_mode",
        "https_proxy",
        "http_proxy",
    )
)
# Around a type, and nothing to a reader.
_WRAPPERS = ("nullable", "lowcardinality")


def _shown(operand: Expression) -> Expression:
    return sa.func.toString(operand)


def _double(operand: Expression) -> Expression:
    return sa.func.toFloat64(operand)


def _finite(operand: Expression) -> Expression:
    return sa.func.isFinite(operand) == 1


def _seconds(operand: Expression) -> Expression:
    return sa.func.formatDateTime(operand, "%Y-%m-%d %H:%i:%S")


def _in_zone(zone: str) -> Shape:
    return lambda operand: sa.func.formatDateTime(operand, "%Y-%m-%d %H:%i:%S", zone)


_WHOLE = Form("int", "whole")
_SHOWN = Form("string", "text", operand=_shown)
_DECIMALS = DecimalForms(
    whole=Form("int", "decimal", read=sa.func.toInt64),
    short=Form("double", "decimal", read=_double),
    exact=Form("double", "decimal", read=_shown, convert=exact_number),
    text=_SHOWN,
)
_SMALL = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_LARGE = ("int128", "int256", "uint128", "uint256")
_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(_SMALL, _WHOLE),
    "bool": Form("int", "whole", operand=sa.func.toUInt8),
    "float32": Form("double", "single", read=_double, present=_finite),
    "float64": Form("double", "double", present=_finite),
    "string": Form("string", "text"),
    **dict.fromkeys(("date", "date32"), Form("date", "date", read=_shown)),
}
_LEFT_OUT = {
    **dict.fromkeys(("point", "ring", "polygon", "multipolygon"), GEOMETRY),
    "aggregatefunction": AGGREGATE,
}


def _form(declared: Declared, options: SourceOptions) -> Form | LeftOut:
    if declared.name in _WRAPPERS:
        return _form(parse_declared(", ".join(declared.arguments)), options)
    if left_out := _LEFT_OUT.get(declared.name):
        return left_out
    if declared.name == "decimal":
        return _DECIMALS.of(declared, options)
    if declared.name in _LARGE:
        return _DECIMALS.choose(78, 0, options)
    if declared.name in {"datetime", "datetime64"}:
        # All moments are counted from 1970; the zone of a column only says how they are shown.
        zone = getattr(options.time_zone, "key", None) or "UTC"
        return Form("datetime", "moment", read=_in_zone(str(zone)))
    return _FORMS.get(declared.name, _SHOWN)


def _matches(operand: Expression, patterns: Sequence[str]) -> Expression:
    text = sa.func.lowerUTF8(operand)
    return sa.or_(*(text.like(sa.func.lowerUTF8(sa.literal(_pattern(pattern)))) for pattern in patterns))


def _pattern(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace("_", "\\_")


def _contains(operand: Expression, parts: Sequence[str]) -> Expression:
    return sa.or_(*(sa.func.positionCaseInsensitiveUTF8(operand, part) > 0 for part in parts))


def _connect(options: SourceOptions) -> Mapping[str, Any]:
    return {
        "connect_timeout": 5,
        "send_receive_timeout": int(options.timeout) + 10,
        "client_name": "bi-mcp connector",
        # 2: reads alone, and settings such as the next.
        "ch_readonly": "2",
        "ch_max_execution_time": str(int(options.timeout)),
        # Rows that are in memory at once.
        "ch_max_block_size": "4000",
    }


def _stay(url: URL) -> Mapping[str, Any]:
    return {"pool_mgr": _pool()} if _TLS_OPTIONS.isdisjoint(url.query) else {}


@lru_cache(maxsize=1)
def _pool() -> Any:
    options = importlib.import_module("clickhouse_connect.driver.httputil").get_pool_manager_options()
    manager = importlib.import_module("urllib3").PoolManager(**options)
    manager.urlopen = partial(manager.urlopen, redirect=False)
    return manager


def _stream(driver: Any, statement: str, values: Mapping[str, Any]) -> Iterator[Sequence[Sequence[Value]]]:
    # The cursor of the driver reads a result to its end before it gives the first row.
    # Without values it does not undo the doubling of percent signs in names.
    text = statement if values else statement % ()
    with driver.client.query_row_block_stream(text, values) as blocks:
        yield from blocks


def _failure_code(error: BaseException) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


CLICKHOUSE = Dialect(
    name="clickhouse",
    engine="clickhousedb+connect",
    module="clickhouse_connect",
    extra="clickhouse",
    connect=_connect,
    stay=_stay,
    stream=_stream,
    bounded=True,
    own_schema=True,
    system_schemas=frozenset({"system", "information_schema", "INFORMATION_SCHEMA"}),
    catalogue=Catalogue(_TABLES, _ONE, " ORDER BY database, name", _COLUMNS),
    forms=_form,
    given={
        "int": Form("int", "whole", operand=sa.func.toInt64),
        "double": Form("double", "double", operand=_double, present=_finite),
        "date": Form("date", "date", operand=sa.func.toDate, read=_shown),
        "datetime": Form("datetime", "datetime", operand=sa.func.toDateTime, read=_seconds),
        "string": _SHOWN,
    },
    text=_shown,
    equal_text=lambda operand, values: _ONE_OF(operand, values, sa.String()),
    one_of=_ONE_OF,
    matches=_matches,
    contains=_contains,
    failures={
        "60": "no table",
        "47": "no column",
        "159": "too long",
        "394": "stopped",
        "81": "no database",
        "192": "login refused",
        "193": "login refused",
        "194": "login refused",
        "516": "login refused",
        "497": "not permitted",
    },
    failure_code=_failure_code,
)
