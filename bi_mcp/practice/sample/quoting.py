from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.connector.columns import TableColumn, Type

# SQL expressions that give every answered value its column's type.
_EXPRESSIONS: Mapping[Type, str] = {
    "int": "{}",
    "double": "CAST({} AS REAL)",
    "date": "{}",
    "datetime": "replace(substr({}, 1, 19), 'T', ' ')",
    "string": "CAST({} AS TEXT)",
}


def column_sql(column: TableColumn) -> str:
    return _EXPRESSIONS[column.type].format(quote_identifier(column.code))


def quote_identifier(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
