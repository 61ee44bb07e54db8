"""Filters with prefix operators, compiled to SQL. Values are bound, and only known columns reach the text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.sample.brackets import Form, Nested
from bi_mcp.sample.columns import Column, Value
from bi_mcp.sample.refusal import RefusalError

MOST_CONDITIONS = 200


@dataclass(frozen=True)
class Condition:
    """The text after WHERE, and the values for its question marks."""

    sql: str
    values: tuple[Value, ...] = ()


EVERYTHING = Condition("1")

_IN = "{} IN (SELECT value FROM json_each(?))"
_NOT_IN = "({0} IS NULL OR {0} NOT IN (SELECT value FROM json_each(?)))"
_PATTERN = "fits_pattern({}, ?)"

# A missing value differs from every value, so the negations let it through.
_COMPARISONS: Mapping[str, str] = {
    ">=": "{} >= ?",
    "<=": "{} <= ?",
    "!=": "{} IS NOT ?",
    ">": "{} > ?",
    "<": "{} < ?",
    "=": "{} IS ?",
    "!": "{} IS NOT ?",
    "": "{} IS ?",
}
_LISTS: Mapping[str, str] = {"!@": _NOT_IN, "@": _IN, "=": _IN, "": _IN, "!=": _NOT_IN, "!": _NOT_IN}
_TEXTS: Mapping[str, str] = {"=%": _PATTERN, "%=": _PATTERN, "%": "contains({}, ?)"}
# An empty text asks for missing values, or with a negation for all others.
_EMPTINESS: Mapping[str, str] = {
    "=": "coalesce({}, '') = ?",
    "": "coalesce({}, '') = ?",
    "!=": "coalesce({}, '') <> ?",
    "!": "coalesce({}, '') <> ?",
}
_OPERATORS = sorted({*_COMPARISONS, *_LISTS, *_TEXTS}, key=len, reverse=True)


def compile_filter(filter: Form, columns: Mapping[str, Column]) -> Condition:
    """Compile a filter with all its groups. `columns` is keyed by every name that the filter may use.

    Raises RefusalError that names the column, operator or value at fault.
    """
    condition = _group(filter, columns)
    # Every condition binds one value. SQLite refuses expressions that are much deeper.
    if len(condition.values) > MOST_CONDITIONS:
        raise RefusalError(400, f"The filter holds more than {MOST_CONDITIONS} conditions.")
    return condition


def _group(filter: Form, columns: Mapping[str, Column]) -> Condition:
    logic = "AND"
    parts: list[Condition] = []
    for key, value in filter.items():
        if key.lower() == "logic":
            logic = _logic(value)
        elif isinstance(value, dict) and key.isdecimal() and key not in columns:
            parts.append(_group(value, columns))
        else:
            parts.append(_condition(key, value, columns))
    if not parts:
        return EVERYTHING
    text = f" {logic} ".join(part.sql for part in parts)
    return Condition(f"({text})", tuple(bound for part in parts for bound in part.values))


def _logic(value: Nested) -> str:
    if isinstance(value, str) and value.upper() in {"AND", "OR"}:
        return value.upper()
    raise RefusalError(400, "The filter's logic must be AND or OR.")


def _condition(key: str, value: Nested, columns: Mapping[str, Column]) -> Condition:
    operator, column = _split(key, columns)
    if operator in {"@", "!@"} and isinstance(value, str):
        value = {"0": value}
    if isinstance(value, dict):
        return _list_condition(operator, column, value)
    if value == "" and operator in _EMPTINESS:
        return Condition(_EMPTINESS[operator].format(column.sql), ("",))
    if operator in _TEXTS:
        return Condition(_TEXTS[operator].format(column.sql), (value,))
    return Condition(_COMPARISONS[operator].format(column.sql), (column.parse(value),))


def _list_condition(operator: str, column: Column, value: Form) -> Condition:
    if operator not in _LISTS:
        raise RefusalError(
            400, f"The operator {operator} of column {column.code!r} takes one value, not a list."
        )
    items = [column.parse(item) for item in value.values() if isinstance(item, str)]
    if len(items) < len(value):
        raise RefusalError(400, f"The list for column {column.code!r} holds something that is not a value.")
    return Condition(_LISTS[operator].format(column.sql), (json.dumps(items),))


def _split(key: str, columns: Mapping[str, Column]) -> tuple[str, Column]:
    # The longest operator that leaves a known column wins: headers may begin with % or = themselves.
    for operator in _OPERATORS:
        column = columns.get(key.removeprefix(operator)) if key.startswith(operator) else None
        if column is not None:
            return operator, column
    raise RefusalError(400, f"The filter names {key[:80]!r}, and the table has no such column.")


def fits_pattern(value: object, pattern: str) -> bool:
    """Whether text matches a pattern in which only % is special (any run of characters); case is ignored."""
    text = "" if value is None else str(value).casefold()
    first, *inner = pattern.casefold().split("%")
    if not inner:
        return text == first
    last = inner.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in inner:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def contains(value: object, part: str) -> bool:
    """Whether text holds the part; case is ignored."""
    return value is not None and part.casefold() in str(value).casefold()
