"""Forms that dialects have in common, and the rule for decimal numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bi_mcp.connector.databases.dialects.dialect import Declared, Expression, Form, Search, Shape
from bi_mcp.connector.options import SourceOptions

# A double holds every decimal number of so many digits, and a reader of JSON gives them back.
EXACT_DIGITS = 15
INTEGER_DIGITS = 18

# In patterns of LIKE. A backslash has more than one meaning in MySQL.
ESCAPE = "|"

_ESCAPED = str.maketrans({ESCAPE: ESCAPE * 2, "_": f"{ESCAPE}_"})


@dataclass(frozen=True)
class DecimalForms:
    """The forms of decimal numbers: whole, such as a double holds exactly, and longer ones as numbers or texts."""

    whole: Form
    short: Form
    exact: Form
    text: Form

    def choose(self, digits: int | None, scale: int | None, options: SourceOptions) -> Form:
        if digits is not None and digits <= INTEGER_DIGITS and not scale:
            return self.whole
        if digits is not None and digits <= EXACT_DIGITS:
            return self.short
        return self.exact if options.long_numbers == "exact" else self.text

    def of(self, declared: Declared, options: SourceOptions) -> Form:
        return self.choose(declared.number(0), declared.number(1), options)


def cast_to(type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> Shape:
    return lambda operand: sa.cast(operand, type)


def matching(like: Search) -> Search:
    """Search for patterns in which only the percent sign is special, with LIKE and its escape."""
    return lambda operand, patterns: like(operand, [_escaped(pattern) for pattern in patterns])


def containing(like: Search) -> Search:
    """Search for parts of a text, with LIKE and its escape."""
    return lambda operand, parts: like(
        operand, [f"%{_escaped(part).replace('%', ESCAPE + '%')}%" for part in parts]
    )


def _escaped(pattern: str) -> str:
    return pattern.translate(_ESCAPED)


def in_lists_of(longest: int) -> Callable[[Expression, Sequence[Any], sa.types.TypeEngine[Any]], Expression]:
    """Lists of values, in parts where a database bounds their length."""

    def one_of(operand: Expression, values: Sequence[Any], type: sa.types.TypeEngine[Any]) -> Expression:
        parts = [values[at : at + longest] for at in range(0, len(values), longest)]
        return sa.or_(*(operand.in_([sa.literal(value, type) for value in part]) for part in parts))

    return one_of


def any_like(operand: Expression, patterns: Sequence[str]) -> Expression:
    """Match with one of the patterns of LIKE, whatever the case."""
    text = sa.func.lower(operand)
    return sa.or_(*(text.like(sa.func.lower(sa.literal(pattern)), escape=ESCAPE) for pattern in patterns))
