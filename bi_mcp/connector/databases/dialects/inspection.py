"""The catalogue of databases whose own we do not ask: SQLAlchemy's reflection, in the shape of a catalogue's rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import sqlalchemy as sa


def inspect_tables(session: sa.Connection) -> Sequence[tuple[str, str, str | None, bool]]:
    """List schema, name, comment, and whether the schema is the default one."""
    inspector = sa.inspect(session)
    default = inspector.default_schema_name
    found: list[tuple[str, str, str | None, bool]] = []
    for schema in inspector.get_schema_names():
        views = _views(inspector, schema)
        names = sorted({*inspector.get_table_names(schema), *views})
        found += [(schema, name, None, schema == default) for name in names]
    return found


def inspect_columns(session: sa.Connection, schema: str | None, table: str) -> Sequence[tuple[str, str]]:
    """List name and type of a table's columns; nothing when there is no such table."""
    with warnings.catch_warnings():
        # Types that SQLAlchemy does not know are named so.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        try:
            columns = sa.inspect(session).get_columns(table, schema)
        except sa.exc.NoSuchTableError:
            return []
    return [(column["name"], _declared(session, column["type"])) for column in columns]


def _views(inspector: sa.Inspector, schema: str) -> Sequence[str]:
    try:
        return inspector.get_view_names(schema)
    except NotImplementedError:
        return []


def _declared(session: sa.Connection, type: sa.types.TypeEngine[object]) -> str:
    if isinstance(type, sa.types.NullType):
        return "unknown"
    return type.compile(dialect=session.dialect)
