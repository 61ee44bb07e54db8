"""Conditions compiled to the engine's SQL. Values are bound, and only the engine's own names reach the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.connector.columns import TableColumn, Type
from bi_mcp.connector.question.filter import ColumnComparison, Condition, Test

Bound = int | float | str


@dataclass(frozen=True)
class Where:
    """The text after WHERE, and the values for its question marks."""

    sql: str
    values: tuple[Bound, ...] = ()


# `{c}` is the column, `{t}` its text in small letters, `{v}` a value.
_TESTS: Mapping[Test, str] = {
    "equal": "{c} = {v}",
    "greater": "{c} > {v}",
    "at_least": "{c} >= {v}",
    "less": "{c} < {v}",
    "at_most": "{c} <= {v}",
    "between": "{c} BETWEEN {v} AND {v}",
    "contains": "contains({t}, lower({v}))",
    "fits": "{t} LIKE lower({v}) ESCAPE '\\'",
    "empty": "coalesce({t}, '') = ''",
}
_BOUND: Mapping[Type, str] = {
    "int": "?",
    "double": "?",
    "date": "CAST(? AS TIMESTAMP)",
    "datetime": "CAST(? AS TIMESTAMP)",
    "string": "?",
}


def compile_condition(condition: Condition, stored: Mapping[str, str]) -> Where:
    """Compile a condition with all its groups; `stored` leads from codes to the engine's names of columns."""
    if isinstance(condition, ColumnComparison):
        return _comparison(condition, stored[condition.column.code])
    parts = [compile_condition(member, stored) for member in condition.members]
    if not parts:
        return Where("true")
    text = f" {condition.logic} ".join(part.sql for part in parts)
    return Where(f"({text})", tuple(value for part in parts for value in part.values))


def _comparison(comparison: ColumnComparison, name: str) -> Where:
    column, test = comparison.column, comparison.test
    form = _TESTS[test].replace("{c}", name).replace("{t}", _text(name, column))
    text = test in {"contains", "fits"}
    form = form.replace("{v}", "?" if text else _BOUND[column.type])
    values = tuple(_escaped(value) if test == "fits" else value for value in comparison.values)
    repeated = 1 if test in {"between", "empty"} else max(1, len(values))
    sql = " OR ".join([form] * repeated)
    # The comparison with a missing value is neither true nor false: the negation lets it through.
    return Where(f"NOT coalesce({sql}, false)" if comparison.negated else f"({sql})", values)


def _text(name: str, column: TableColumn) -> str:
    return f"lower({name})" if column.type == "string" else f"lower(CAST({name} AS VARCHAR))"


def _escaped(value: Bound) -> str:
    # In a pattern only % is special.
    return str(value).replace("\\", "\\\\").replace("_", "\\_")
