"""A database as a source of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bi_mcp.base.language import say
from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.databases.addresses import Target
from bi_mcp.connector.databases.condition import Conditions, QueriedColumn
from bi_mcp.connector.databases.connections import Connections
from bi_mcp.connector.databases.failures import DatabaseError
from bi_mcp.connector.databases.notes import describe_forms
from bi_mcp.connector.databases.reading import DatabaseAnswer, Plan
from bi_mcp.connector.databases.reflection import Reflection
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.question.selection import select_rows
from bi_mcp.connector.source import Answer
from bi_mcp.connector.unknown_names import UnknownName


class Database:
    """The tables and views of a database. It is a `Source`."""

    def __init__(self, target: Target, options: SourceOptions) -> None:
        self._options = options
        self._connections = Connections(target, options)
        self._reflection = Reflection(self._connections, options)

    def check(self) -> None:
        with self._connections.session() as session:
            session.execute(sa.select(sa.literal_column("1"))).all()

    def tables(self) -> Mapping[str, str]:
        return {code: table.title for code, table in self._reflection.tables().items()}

    def columns(self, table: str) -> Sequence[TableColumn]:
        return [served.column for served in self._reflection.columns(table).served]

    def left_out(self, table: str) -> Mapping[str, str]:
        """Why columns of a table are not served, by the names that the database knows."""
        return {name: say(reason) for name, reason in self._reflection.columns(table).left_out.items()}

    def notes(self, table: str) -> Sequence[str]:
        """What readers of a table may not expect."""
        return list(describe_forms(self._reflection.columns(table).served, self._options.time_zone))

    def unknown_names(self) -> Sequence[UnknownName]:
        """What the options name and the database has not."""
        return list(self._reflection.unknown_names())

    def left_out_tables(self) -> Mapping[str, str]:
        """Nothing: a database has no parts that cannot be read at all."""
        return {}

    def rows(self, table: str, query: RowQuery) -> Answer:
        def replan(error: DatabaseError) -> Plan:
            refusal = self._reflection.explain(table, error)
            if error.failure != "no column":
                raise refusal
            return self._plan(table, query)

        plan = self._plan(table, query)
        return DatabaseAnswer(self._connections, plan, replan, self._options.timeout)

    def close(self) -> None:
        self._connections.close()

    def _plan(self, code: str, query: RowQuery) -> Plan:
        table, found = self._reflection.table(code), self._reflection.columns(code)
        chosen = select_rows(code, [served.column for served in found.served], query)
        names: list[sa.ColumnClause[Any]] = [sa.column(served.column.identifier) for served in found.served]
        queried = sa.table(table.name, *names, schema=table.schema).alias("bi_table")
        columns = {
            served.column: QueriedColumn(served.column, served.form, queried.c[served.column.identifier])
            for served in found.served
        }
        sent = [columns[column] for column in chosen.columns]
        statement = sa.select(
            *(
                sa.type_coerce(column.sent, sa.types.NullType()).label(f"bi_{at}")
                for at, column in enumerate(sent)
            )
        )
        if chosen.condition.members:
            conditions = Conditions(self._connections.dialect, columns, self._options.time_zone)
            statement = statement.where(conditions.compile(chosen.condition))
        if chosen.limit is not None:
            statement = statement.limit(chosen.limit)
        converters = [(at, column.form.convert) for at, column in enumerate(sent)]
        return Plan(
            statement.select_from(queried),
            chosen.header,
            tuple((at, convert) for at, convert in converters if convert is not None),
        )
