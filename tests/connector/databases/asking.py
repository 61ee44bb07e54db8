"""Questions to a source, put as the connector puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases import open_database
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.brackets import Form
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.source import Source


def a_query(
    select: Sequence[str] = (),
    filter: Mapping[str, object] | None = None,
    limit: int | None = None,
    culture: Culture | None = None,
) -> RowQuery:
    """A question. Lists in the filter become maps with numbers, as brackets are read."""
    return RowQuery(tuple(select), cast("Form", _nested(dict(filter or {}))), limit, {}, culture)


def _nested(value: object) -> object:
    if isinstance(value, list):
        return {str(at): _nested(item) for at, item in enumerate(value)}
    if isinstance(value, dict):
        return {key: _nested(item) for key, item in value.items()}
    return value


def rows_of(source: Source, table: str, query: RowQuery | None = None) -> list[list[Any]]:
    """The rows of an answer, as a reader of its JSON sees them."""
    answer = source.rows(table, query or a_query())
    try:
        return [orjson.loads(orjson.dumps(row)) for chunk in answer.chunks() for row in chunk]
    finally:
        answer.close()


def records_of(source: Source, table: str, query: RowQuery | None = None) -> list[dict[str, Any]]:
    query = query or a_query()
    answer = source.rows(table, query)
    answer.close()
    return [dict(zip(answer.header, row, strict=True)) for row in rows_of(source, table, query)]


def types_of(source: Source, table: str) -> dict[str, str]:
    return {column.code: column.type for column in source.columns(table)}


def a_database(address: Secret, **options: Any) -> Database:
    return open_database(address, SourceOptions(**options))
