"""The statements for databases that no test runs: they compile, bind every value, and quote every name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bi_mcp.base.secret import Secret
from bi_mcp.connector.columns import ColumnNames, TableColumn
from bi_mcp.connector.databases.addresses import parse_address
from bi_mcp.connector.databases.condition import Conditions, QueriedColumn
from bi_mcp.connector.databases.dialects.dialect import Form, parse_declared
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.filter import parse_row_filter
from tests.connector.databases.asking import a_query

DECLARED: Mapping[str, Mapping[str, str]] = {
    "clickhouse": {
        "n": "Nullable(Int64)",
        "price": "LowCardinality(Nullable(Decimal(10, 2)))",
        "long": "Decimal(38, 4)",
        "d": "Float64",
        "f": "Float32",
        "t": "LowCardinality(String)",
        "day": "Date32",
        "made": "DateTime64(3, 'UTC')",
        "seen": "DateTime",
        "flag": "Bool",
        "other": "Array(Nullable(String))",
    },
    "mssql": {
        "n": "BIGINT",
        "price": "DECIMAL(10, 2)",
        "long": "NUMERIC(38, 4)",
        "d": "FLOAT",
        "f": "REAL",
        "t": "NVARCHAR(20) COLLATE Latin1_General_CI_AS",
        "day": "DATE",
        "made": "DATETIME2",
        "seen": "DATETIMEOFFSET",
        "flag": "BIT",
        "other": "UNIQUEIDENTIFIER",
    },
    "oracle": {
        "n": "NUMBER(18, 0)",
        "price": "NUMBER(10, 2)",
        "long": "NUMBER",
        "d": "BINARY_DOUBLE",
        "f": "BINARY_FLOAT",
        "t": "VARCHAR2(20 CHAR)",
        "day": "DATE",
        "made": "TIMESTAMP",
        "seen": "TIMESTAMP WITH TIME ZONE",
        "flag": "NUMBER(1, 0)",
        "other": "INTERVAL DAY TO SECOND",
    },
    "trino": {
        "n": "BIGINT",
        "price": "DECIMAL(10, 2)",
        "long": "DECIMAL(38, 4)",
        "d": "DOUBLE",
        "f": "REAL",
        "t": "VARCHAR(20)",
        "day": "DATE",
        "made": "TIMESTAMP(3)",
        "seen": "TIMESTAMP(3) WITH TIME ZONE",
        "flag": "BOOLEAN",
        "other": "ARRAY(VARCHAR)",
    },
}
TYPES = {
    "n": "int",
    "price": "double",
    "long": "double",
    "d": "double",
    "f": "double",
    "t": "string",
    "day": "date",
    "made": "datetime",
    "seen": "datetime",
    "flag": "int",
    "other": "string",
}
FILTERS: Mapping[str, object] = {
    "=N": {"0": "1", "1": "2"},
    ">N": "2.5",
    "><PRICE": {"0": "1.5", "1": "2"},
    "<LONG": "12345678901234567890.5",
    ">=D": "0.1",
    "=F": "0.1",
    "=T": "x' OR 1=1 --",
    "%T": "50%",
    "=%T": "a%_",
    "!=T": {"0": "Ä"},
    "<=DAY": "31.05.2024 23:59:59",
    "=MADE": "31.05.2024 10:00:00",
    ">SEEN": "31.05.2024",
    "=FLAG": "1",
    "%N": "5",
    "!=OTHER": "",
}
NAME = 'we"ir`d %s :x [y] \\'


def compiled(scheme: str, select: str, filter: Mapping[str, object]) -> tuple[str, Mapping[str, Any]]:
    target = parse_address(Secret(f"{scheme}://bi:word@h/shop"))
    dialect, zone = target.dialect, ZoneInfo("Europe/Berlin")
    options = SourceOptions(time_zone=zone)
    names = {name: f"{NAME}{name}" for name in TYPES}
    queried = sa.table(f"{NAME}t", *(sa.column(name) for name in names.values()), schema=f"{NAME}s").alias(
        "bi_table"
    )
    columns: dict[TableColumn, QueriedColumn] = {}
    for name, declared in DECLARED[scheme].items():
        form = dialect.forms(parse_declared(declared), options)
        assert isinstance(form, Form), (name, form)
        column = TableColumn(name.upper(), form.type, names[name])
        columns[column] = QueriedColumn(column, form, queried.c[names[name]])
    sent = [queried.sent for column, queried in columns.items() if column.code in {select, "N"}]
    condition = parse_row_filter(a_query(filter=filter).filter, ColumnNames(list(columns), {}))
    where = Conditions(dialect, columns, zone).compile(condition)
    statement = sa.select(*(part.label(f"bi_{at}") for at, part in enumerate(sent))).where(where).limit(10)
    engine = target.url.get_dialect()()
    made = statement.compile(dialect=engine, compile_kwargs={"render_postcompile": True})
    return str(made), made.params


@pytest.mark.parametrize("scheme", sorted(DECLARED))
def test_every_type_has_the_same_meaning(scheme: str) -> None:
    dialect = parse_address(Secret(f"{scheme}://bi:word@h/shop")).dialect
    found = {}
    for name, declared in DECLARED[scheme].items():
        form = dialect.forms(parse_declared(declared), SourceOptions())
        found[name] = form.type if isinstance(form, Form) else form.reason
    # Oracle's DATE holds a time of day as well.
    assert found == {**TYPES, "day": "datetime"} if scheme == "oracle" else TYPES


@pytest.mark.parametrize("scheme", sorted(DECLARED))
@pytest.mark.parametrize("key", sorted(FILTERS))
def test_every_condition_compiles_and_binds_its_values(scheme: str, key: str) -> None:
    text, values = compiled(scheme, key.lstrip("!<>=%"), {key: FILTERS[key]})
    assert "WHERE" in text
    for value in ("OR 1=1", "50%", "12345678901234567890", "a%"):
        assert value not in text
    if key != "!=OTHER":
        assert len(values) >= 1


@pytest.mark.parametrize("scheme", sorted(DECLARED))
def test_lists_of_any_length_compile(scheme: str) -> None:
    _, values = compiled(scheme, "T", {"=T": {str(at): f"v{at}" for at in range(2500)}})
    assert len(values) >= 2500


EXPECTED = {
    "clickhouse": "positionCaseInsensitiveUTF8(`bi_table`.",
    "mssql": "Latin1_General_100_BIN2",
    "oracle": "lower(bi_table.",
    "trino": "lower(bi_table.",
}


@pytest.mark.parametrize("scheme", sorted(DECLARED))
def test_a_search_ignores_case_in_the_words_of_the_dialect(scheme: str) -> None:
    text, _ = compiled(scheme, "T", {"%T": "50%_x"})
    assert EXPECTED[scheme] in text
