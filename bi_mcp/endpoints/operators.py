"""The conditions of BI Builder and their spelling in `filter`. Data.

A key of `filter` is an operator and the name of a column: `!%CARRIER`. Source: section 2 of the reference of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from bi_mcp.base.language import text

Operator = Literal[
    "is", "contains", "between", "greater", "greater_or_equal", "less", "less_or_equal", "empty"
]
# Spelling of a condition's values: a list (also a single one), both ends of a range, or the bare value of false.
Takes = Literal["list", "range", "nothing"]

EXCLUDED = "!"
NUMBERS = frozenset({"int", "double", "money"})
DATES = frozenset({"date", "datetime"})
EVERY_TYPE = NUMBERS | DATES | {"string", "timezone"}


class Spelling(NamedTuple):
    """An operator's prefix, the values it takes, the column types it is offered for, and its name in BI Builder."""

    prefix: str
    takes: Takes
    types: frozenset[str]
    label: str


SPELLINGS: Mapping[Operator, Spelling] = {
    "is": Spelling("=", "list", EVERY_TYPE, text("is one of")),
    "contains": Spelling("%", "list", frozenset({"string"}), text("contains")),
    "between": Spelling("><", "range", NUMBERS | DATES, text("between")),
    "greater": Spelling(">", "list", NUMBERS | DATES, text("greater than")),
    "greater_or_equal": Spelling(">=", "list", NUMBERS | DATES, text("greater or equal")),
    "less": Spelling("<", "list", NUMBERS | DATES, text("less than")),
    "less_or_equal": Spelling("<=", "list", NUMBERS | DATES, text("less or equal")),
    # The bare value distinguishes it from "is one of".
    "empty": Spelling("=", "nothing", EVERY_TYPE, text("is empty")),
}


def split_operator(key: str) -> tuple[Operator, bool, str]:
    """Take a key of `filter` apart: the operator, whether it excludes, and the column. `"!>=DAY"` -> at least, excluded, DAY.

    A bare column and `@COLUMN` mean "is one of".
    """
    excluded = key.startswith(EXCLUDED)
    rest = key.removeprefix(EXCLUDED)
    for operator, spelling in _LONGEST_FIRST:
        if rest.startswith(spelling.prefix):
            return operator, excluded, rest.removeprefix(spelling.prefix)
    return "is", excluded, rest.removeprefix("@")


_LONGEST_FIRST = sorted(
    ((operator, spelling) for operator, spelling in SPELLINGS.items() if spelling.takes != "nothing"),
    key=lambda pair: -len(pair[1].prefix),
)
