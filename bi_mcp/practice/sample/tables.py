"""Tables to answer from, and their one implementation: a SQLite database that is only read."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from bi_mcp.connector.columns import TableColumn, Type, Value
from bi_mcp.connector.question.query import RowQuery
from bi_mcp.connector.question.selection import select_rows
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.practice.sample.quoting import column_sql, quote_identifier
from bi_mcp.practice.sample.where import add_functions, compile_condition

Row: TypeAlias = Sequence[Value]

# Both are empty to PHP: Bitrix24 rejects a whole list of tables or columns that holds one of them.
UNUSABLE_CODES = ("", "0")


class ServedTables(Protocol):
    """Named tables. An unknown table or column, or a bad filter, raises RefusalError."""

    @property
    def titles(self) -> Mapping[str, str]:
        """Title by table code."""

    def columns(self, table: str) -> list[TableColumn]:
        """The columns in their order; at least one."""

    def rows(self, table: str, query: RowQuery) -> Iterator[Row]:
        """Iterate over the header, then the rows. Refuses before the first row, never later.

        The header holds codes. Without `mapFields` a selected column has the name by which it was asked for: an older
        portal passes the answer on to BI Builder, which knows the names.
        """


# In the order in which they are tried: every value that is not missing must pass. SQLite has no date types;
# the shift by no days makes it turn 30 February into a day of March, which then differs.
_CHECKS: Mapping[Type, str] = {
    "int": "typeof({0}) = 'integer'",
    "double": "typeof({0}) IN ('integer', 'real') AND {0} < 9e999 AND {0} > -9e999",
    "date": "typeof({0}) = 'text' AND date({0}, '+0 days') = {0}",
    "datetime": "typeof({0}) = 'text' AND length({0}) >= 19"
    " AND strftime('%Y-%m-%d %H:%M:%S', {0}, '+0 days') = replace(substr({0}, 1, 19), 'T', ' ')",
}


class SqliteTables:
    """The tables and views of a database. A column's values decide on its type, not its declaration."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        # Closes the file as soon as the tables are dropped, also when the next lines fail.
        weakref.finalize(self, connection.close)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        add_functions(connection)
        connection.execute("PRAGMA query_only = ON")
        self._connection = connection
        self._columns: dict[str, list[TableColumn]] = {}
        self.titles = {name: (name[:1].upper() + name[1:]).replace("_", " ") for name in self._names()}

    def columns(self, table: str) -> list[TableColumn]:
        if table not in self.titles:
            raise RefusalError(404, f"There is no table {table[:80]!r}.")
        if table not in self._columns:
            header = self._connection.execute(f"SELECT * FROM {quote_identifier(table)} LIMIT 0").description  # noqa: S608 - quoted, and known to exist
            self._columns[table] = [
                TableColumn(code, self._type(table, code))
                for code, *_ in header
                if code not in UNUSABLE_CODES
            ]
        return self._columns[table]

    def rows(self, table: str, query: RowQuery) -> Iterator[Row]:
        chosen = select_rows(table, self.columns(table), query)
        where = compile_condition(chosen.condition)
        expressions = ", ".join(column_sql(column) for column in chosen.columns)
        cursor = self._connection.execute(
            f"SELECT {expressions} FROM {quote_identifier(table)} WHERE {where.sql} LIMIT ?",  # noqa: S608 - known columns, bound values
            (*where.values, -1 if chosen.limit is None else chosen.limit),
        )
        return self._answer(chosen.header, cursor)

    def _answer(self, header: Row, cursor: sqlite3.Cursor) -> Iterator[Row]:
        # A method, so that a running answer keeps the tables, and with them the connection.
        yield header
        yield from cursor

    def _names(self) -> list[str]:
        found = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " ORDER BY name"
        )
        return [name for (name,) in found if name not in UNUSABLE_CODES]

    def _type(self, table: str, code: str) -> Type:
        if not self._any(table, code, "1"):
            return "string"
        for type, check in _CHECKS.items():
            if not self._any(table, code, f"({check.format(quote_identifier(code))}) IS NOT 1"):
                return type
        return "string"

    def _any(self, table: str, code: str, condition: str) -> bool:
        text = f"SELECT 1 FROM {quote_identifier(table)} WHERE {quote_identifier(code)} IS NOT NULL AND {condition} LIMIT 1"  # noqa: S608 - no value in it
        return self._connection.execute(text).fetchone() is not None
