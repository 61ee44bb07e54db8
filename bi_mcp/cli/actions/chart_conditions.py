"""Conditions of a chart as a person types them: `CARRIER = UA, AA`, `DELAY between 1 and 5 or DELAY is empty`. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping

# The phrases between a column and its values: the operator that each means, and whether it is negated.
PHRASES: Mapping[str, tuple[str, bool]] = {
    "=": ("one of", False),
    "!=": ("one of", True),
    "<>": ("one of", True),
    ">": (">", False),
    ">=": (">=", False),
    "<": ("<", False),
    "<=": ("<=", False),
    "not >": (">", True),
    "not >=": (">=", True),
    "not <": ("<", True),
    "not <=": ("<=", True),
    "in": ("one of", False),
    "not in": ("one of", True),
    "is one of": ("one of", False),
    "is not one of": ("one of", True),
    "contains": ("contains", False),
    "not contains": ("contains", True),
    "does not contain": ("contains", True),
    "between": ("between", False),
    "not between": ("between", True),
    "is empty": ("empty", False),
    "is not empty": ("empty", True),
}

# Outside of double quotes.
_UNQUOTED = r'(?=(?:[^"]*"[^"]*")*[^"]*$)'
_OR = re.compile(rf"\s+or\s+{_UNQUOTED}", re.IGNORECASE)
_AND = re.compile(rf"\s+and\s+{_UNQUOTED}", re.IGNORECASE)


def _pattern(phrase: str) -> str:
    words = r"\s+".join(map(re.escape, phrase.split()))
    # A word ends where a word ends; after a sign its value may follow at once.
    return rf"\b{words}(?!\w)" if phrase[-1].isalpha() else rf"\b{words}" if phrase[0].isalpha() else words


_PHRASE = "|".join(_pattern(phrase) for phrase in sorted(PHRASES, key=len, reverse=True))
_CONDITION = re.compile(
    rf"(?P<column>\w+)\s*(?P<phrase>{_PHRASE})\s*(?P<values>.*)", re.IGNORECASE | re.DOTALL
)


def parse_condition_group(text: str) -> list[dict[str, object]]:
    """Read conditions joined by `or`, as the practice portal takes them.

    Raises `ValueError` where one is not a condition.
    """
    return [_condition(part) for part in _OR.split(text.strip())]


def _condition(text: str) -> dict[str, object]:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    operator, exclude = PHRASES[" ".join(found["phrase"].lower().split())]
    # Names of columns are in capitals, whatever a person types.
    column = found["column"].upper()
    return {
        "column": column,
        "operator": operator,
        "values": _values(found["values"], operator),
        "exclude": exclude,
    }


def _values(text: str, operator: str) -> list[str]:
    if operator == "between":
        return [value for part in _AND.split(text) for value in _split_list(part)]
    return _split_list(text)


def _split_list(text: str) -> list[str]:
    """Split at commas. A value is put in double quotes if it holds a comma, `or` or `and`, or spaces at its ends."""
    values = next(csv.reader([text.strip()], skipinitialspace=True, strict=True), []) if text.strip() else []
    return [value.strip() if f'"{value}"' not in text else value for value in values]
