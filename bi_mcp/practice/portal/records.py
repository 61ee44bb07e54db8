"""Rows of the portal's tables. Every SQL statement with a computed column name is built here.

The columns carry the API's own names, and only names that a schema knows get this far; values are always bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """The rows that a caller gets to see: those of an application, and of these only a user's own with `created_by`.

    Without an application they are everybody's.
    """

    application: str | None = None
    created_by: int | None = None

    @property
    def condition(self) -> tuple[str, list[object]]:
        """The SQL condition and its arguments."""
        limits = {"application": self.application, "createdById": self.created_by}
        set_limits = {column: value for column, value in limits.items() if value is not None}
        return " AND ".join(["1", *(f"{column} = ?" for column in set_limits)]), list(set_limits.values())

    def holds(self, row: sqlite3.Row) -> bool:
        """Return whether a row is within reach."""
        return self.application in {None, row["application"]} and self.created_by in {
            None,
            row["createdById"],
        }


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, object]) -> int:
    """Return the id of the new row; ids are never given twice (AUTOINCREMENT)."""
    columns = ", ".join(f'"{column}"' for column in values)
    marks = ", ".join("?" for _ in values)
    cursor = connection.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - see the module's docstring
        tuple(values.values()),
    )
    return int(cursor.lastrowid or 0)


def change(connection: sqlite3.Connection, table: str, row_id: int, values: Mapping[str, object]) -> None:
    if not values:
        return
    assignments = ", ".join(f'"{column}" = ?' for column in values)
    connection.execute(
        f"UPDATE {table} SET {assignments} WHERE id = ?",  # noqa: S608 - see the module's docstring
        (*values.values(), row_id),
    )


def find_record(connection: sqlite3.Connection, table: str, row_id: int, reach: Reach) -> sqlite3.Row | None:
    """Return the row, or None when it does not exist or is out of reach."""
    sql, arguments = reach.condition
    rows = select(connection, table, f"id = ? AND {sql}", (row_id, *arguments))
    return rows[0] if rows else None


def select(
    connection: sqlite3.Connection, table: str, condition: str, arguments: Sequence[object]
) -> list[sqlite3.Row]:
    """Return the rows that fulfil an SQL condition, which may end with an order and a limit."""
    return connection.execute(
        f"SELECT * FROM {table} WHERE {condition}",  # noqa: S608 - see the module's docstring
        tuple(arguments),
    ).fetchall()


def exists(connection: sqlite3.Connection, table: str, condition: str, argument: object) -> bool:
    return bool(select(connection, table, f"{condition} LIMIT 1", (argument,)))


def delete(connection: sqlite3.Connection, table: str, condition: str, arguments: Sequence[object]) -> None:
    connection.execute(
        f"DELETE FROM {table} WHERE {condition}",  # noqa: S608 - see the module's docstring
        tuple(arguments),
    )
