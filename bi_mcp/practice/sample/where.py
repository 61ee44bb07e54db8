"""Conditions compiled to SQL. Values are bound, and only known columns reach the text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.connector.columns import Value
from bi_mcp.connector.question.filter import ColumnComparison, Condition, Test
from bi_mcp.practice.sample.quoting import column_sql
from bi_mcp.practice.sample.text_search import contains, contains_any, fits, fits_any


@dataclass(frozen=True)
class Where:
    """The text after WHERE, and the values for its question marks."""

    sql: str
    values: tuple[Value, ...] = ()


_ONE: Mapping[Test, str] = {
    "equal": "{} = ?",
    "greater": "{} > ?",
    "at_least": "{} >= ?",
    "less": "{} < ?",
    "at_most": "{} <= ?",
    "between": "{} BETWEEN ? AND ?",
    "contains": "contains({}, ?)",
    "fits": "fits({}, ?)",
    "empty": "coalesce({}, '') = ''",
}
# One question mark for a list of any length: SQLite bounds their number.
_MANY: Mapping[Test, str] = {
    "equal": "{} IN (SELECT value FROM json_each(?))",
    "contains": "contains_any({}, ?)",
    "fits": "fits_any({}, ?)",
}


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that conditions call."""
    for function in (contains, contains_any, fits, fits_any):
        connection.create_function(function.__name__, 2, function, deterministic=True)


def compile_condition(condition: Condition) -> Where:
    """Compile a condition with all its groups."""
    if isinstance(condition, ColumnComparison):
        form, values = _form(condition.test, condition.values)
        sql = form.format(column_sql(condition.column))
        # The comparison with a missing value is neither true nor false: the negation lets it through.
        return Where(f"({sql}) IS NOT 1" if condition.negated else sql, values)
    parts = [compile_condition(member) for member in condition.members]
    if not parts:
        return Where("1")
    text = f" {condition.logic} ".join(part.sql for part in parts)
    return Where(f"({text})", tuple(bound for part in parts for bound in part.values))


def _form(test: Test, values: tuple[int | float | str, ...]) -> tuple[str, tuple[Value, ...]]:
    if len(values) <= 1 or test == "between":
        return _ONE[test], values
    if test in _MANY:
        return _MANY[test], (json.dumps(values),)
    # Greater than any one of the values means greater than the smallest.
    bound = min if test in {"greater", "at_least"} else max
    return _ONE[test], (bound(values),)
