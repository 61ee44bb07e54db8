"""Filters as Bitrix24 sends them, parsed into conditions on columns.

A key is an operator and a column's name; numbered members are groups. The shapes are read as follows:

- A list holds for a row when one of its values does. `!` before an operator negates the whole: none of them does.
- A missing value satisfies no condition, and so every negation: the included and the excluded rows make up the whole
  table. BI Builder may apply a condition again and drop such rows; it could not bring back a row that is left out here.
- A bare empty value of an equality asks for missing values and empty texts. A bare `0` asks the same within a numbered
  group, where BI Builder writes *false* so and values as lists; elsewhere (`filter[STATUS]=0`) it is the number or text.
- Whole dates are read in the format of the portal's culture, see `dates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bi_mcp.connector.columns import ColumnNames, TableColumn
from bi_mcp.connector.question.brackets import DEEPEST, Form, Nested
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.refusal import RefusalError

Test: TypeAlias = Literal[
    "equal", "greater", "at_least", "less", "at_most", "between", "contains", "fits", "empty"
]
Logic: TypeAlias = Literal["AND", "OR"]
Condition: TypeAlias = "ColumnComparison | Group"

MOST_CONDITIONS = 200

_TESTS: Mapping[str, Test] = {
    "": "equal",
    "=": "equal",
    "@": "equal",
    ">": "greater",
    ">=": "at_least",
    "<": "less",
    "<=": "at_most",
    "><": "between",
    "%": "contains",
    "=%": "fits",
    "%=": "fits",
}
_TEXT_TESTS = ("contains", "fits")
# The longest first: `>=DAY` begins with `>`, too.
_OPERATORS = sorted([*_TESTS, *(f"!{operator}" for operator in _TESTS)], key=len, reverse=True)
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class ColumnComparison:
    """A test of a column: one of the values must pass it, or none if it is negated."""

    column: TableColumn
    test: Test
    values: tuple[int | float | str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Group:
    """Conditions joined by AND or OR. An empty group holds for every row."""

    logic: Logic = "AND"
    members: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class _Scope:
    names: ColumnNames
    culture: Culture | None
    depth: int = 0

    def below(self) -> _Scope:
        return _Scope(self.names, self.culture, self.depth + 1)


def parse_row_filter(filter: Form, names: ColumnNames, culture: Culture | None = None) -> Group:
    """Parse a filter with all its groups.

    Raises RefusalError, which names the column, operator or value at fault.
    """
    group = _parse_group(filter, _Scope(names, culture))
    # SQLite refuses expressions that are much deeper.
    if sum(1 for _ in comparisons(group)) > MOST_CONDITIONS:
        raise RefusalError(400, f"The filter holds more than {MOST_CONDITIONS} conditions.")
    return group


def comparisons(condition: Condition) -> Iterator[ColumnComparison]:
    if isinstance(condition, ColumnComparison):
        yield condition
        return
    for member in condition.members:
        yield from comparisons(member)


def _parse_group(filter: Form, scope: _Scope) -> Group:
    if scope.depth > DEEPEST:
        raise RefusalError(400, f"The filter nests deeper than {DEEPEST} levels.")
    logic: Logic = "AND"
    members: list[Condition] = []
    for key, value in filter.items():
        if key.lower() == "logic" and (given := _parse_logic(key, value, scope)):
            logic = given
        elif isinstance(value, dict) and _is_group(key, value, scope):
            members.append(_parse_group(value, scope.below()))
        else:
            members.append(_parse_comparison(key, value, scope))
    return Group(logic, tuple(members))


def _parse_logic(key: str, value: Nested, scope: _Scope) -> Logic | None:
    """Read the logic that joins a group's members; None for a condition on a column that happens to have that name."""
    match value.upper() if isinstance(value, str) else None:
        case "AND":
            return "AND"
        case "OR":
            return "OR"
    if scope.names.find_in_any_case(key):
        return None
    raise RefusalError(400, "The filter's logic must be AND or OR.")


def _is_group(key: str, value: Form, scope: _Scope) -> bool:
    if not _NUMBER.fullmatch(key):
        return False
    # A column may be called 0: then a plain list belongs to it.
    is_list = all(isinstance(item, str) and _NUMBER.fullmatch(at) for at, item in value.items())
    return not (is_list and scope.names.find(key))


def _parse_comparison(key: str, value: Nested, scope: _Scope) -> ColumnComparison:
    operator, column = _split(key, scope.names)
    negated, plain = operator.startswith("!"), operator.removeprefix("!")
    if plain in {"", "="} and (value == "" or (value == "0" and scope.depth)):
        return ColumnComparison(column, "empty", negated=negated)
    test = _TESTS[plain]
    parse = column.parse_part if test in _TEXT_TESTS else column.parse
    values = tuple(parse(text, scope.culture) for text in _texts(value, column))
    if test == "between" and len(values) != 2:
        raise RefusalError(
            400,
            f"The operator {operator} of column {column.code!r} takes a list of two values: from and to.",
        )
    return ColumnComparison(column, test, values, negated)


def _texts(value: Nested, column: TableColumn) -> list[str]:
    items = list_items(value) if isinstance(value, dict) else [value]
    texts = [item for item in items if isinstance(item, str) and "\0" not in item]
    if len(texts) < len(items) or not items:
        raise RefusalError(400, f"The list for column {column.code!r} holds something that is not a value.")
    return texts


def list_items(value: Form) -> list[Nested]:
    """Return the items of a list in the order of their numbers."""
    if all(_NUMBER.fullmatch(key) for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return list(value.values())


def _split(key: str, names: ColumnNames) -> tuple[str, TableColumn]:
    # Headers may begin with % or = themselves: the operator is the prefix without which the key is a known column.
    for find in (names.find, names.find_in_any_case):
        for operator in _OPERATORS:
            if key.startswith(operator) and (column := find(key.removeprefix(operator))):
                return operator, column
    raise RefusalError(400, f"The filter names {key[:80]!r}, and the table has no such column.")
