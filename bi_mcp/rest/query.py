"""`select`, `filter`, `order` and `page` of the list methods, checked before they are sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError

PAGE_SIZE = 50

# Longest first: a key is read by its longest operator.
OPERATORS = (">=", "<=", "!@", "=%", "%=", "!=", ">", "<", "@", "%", "=", "!")
_ARRAY_OPERATORS = {"@", "!@"}

# The portal silently drops these from a filter, and would answer more than was asked for.
_IGNORED_IN_FILTER = {"settings", "fields"}
_REFUSED_IN_SELECT = {"csvDelimiter", "csvEncoding", "csvHasHeaders"}
_IGNORED_IN_SELECT = {"fields"}

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Filter = Mapping[str, Any]
Order = Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """A checked list request. Raises `InvalidRequestError`, which names the key and the rule.

    `filter`: `{"OPERATORfield": value}`; `logic` is AND or OR; a group is a nested filter under a numeric key, `"0"` say.
    `page` counts from 1; a page holds 50 records.
    """

    select: Sequence[str] = ()
    filter: Filter = field(default_factory=dict)
    order: Order = field(default_factory=dict)
    page: int = 1

    def __post_init__(self) -> None:
        _check_select(self.select)
        _check_filter(self.filter)
        _check_order(self.order)
        if self.page < 1:
            raise InvalidRequestError(
                say(
                    "page counts from 1; the portal would silently answer the first page for anything less. Begin with 1."
                )
            )

    def to_wire(self) -> dict[str, object]:
        """Return the parameters as the API takes them, always with an order: without one the sequence is not guaranteed."""
        parameters: dict[str, object] = {"order": dict(self.order) or {"id": "ASC"}, "page": self.page}
        if self.select:
            # The id is what every further call needs.
            parameters["select"] = (
                list(self.select) if {"id", "*"} & set(self.select) else ["id", *self.select]
            )
        if self.filter:
            parameters["filter"] = _capitalise_logic(self.filter)
        return parameters


def _capitalise_logic(conditions: Filter) -> dict[str, object]:
    """Write `logic` in capitals, also in groups: some portals accept only that."""
    return {
        key: value.upper()
        if key == "logic"
        else _capitalise_logic(value)
        if isinstance(value, Mapping)
        else value
        for key, value in conditions.items()
    }


def split_key(key: str) -> tuple[str, str]:
    """`">=id"` -> `(">=", "id")`. Without an operator: `("", key)`."""
    for operator in OPERATORS:
        if key.startswith(operator):
            return operator, key[len(operator) :]
    return "", key


def _check_select(select: Sequence[str]) -> None:
    if isinstance(select, str):
        raise InvalidRequestError(say('select is an array of field names, for example ["id", "title"].'))
    for name in select:
        if name in _REFUSED_IN_SELECT:
            raise InvalidRequestError(
                say(
                    "select: {name!r} comes in every answer but may not be selected. Leave it out.", name=name
                )
            )
        if name in _IGNORED_IN_SELECT:
            raise InvalidRequestError(
                say("select: a list never answers {name!r}. Read the columns with dataset.get.", name=name)
            )


def _check_filter(conditions: Filter) -> None:
    for key, value in conditions.items():
        if key == "logic":
            if not isinstance(value, str) or value.upper() not in {"AND", "OR"}:
                raise InvalidRequestError(say("filter: logic is AND or OR."))
        elif key.isdecimal():
            _check_group(key, value)
        else:
            _check_condition(key, value)


def _check_group(key: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(
            say(
                'filter: the number {key!r} takes a group, an object of conditions such as {{"logic": "OR", ">=id": 5}}.',
                key=key,
            )
        )
    _check_filter(value)


def _check_condition(key: str, value: object) -> None:
    operator, name = split_key(key)
    if name and name.isascii() and not _FIELD.fullmatch(name):
        meant = _FIELD.search(name)
        fitting = "@" if _is_array(value) and operator not in _ARRAY_OPERATORS else operator
        raise InvalidRequestError(
            say(
                "filter: the key {key!r} is not an operator and a field. Operators are {operators}; the field follows at once, such as '{example}'.",
                key=key,
                operators=" ".join(OPERATORS),
                example=f"{fitting}{meant[0] if meant else 'id'}",
            )
        )
    if not name:
        raise InvalidRequestError(
            say(
                "filter: the key {key!r} names no field. Write operator and field together, such as '>=id'.",
                key=key,
            )
        )
    if name in _IGNORED_IN_FILTER:
        raise InvalidRequestError(
            say(
                "filter: the portal ignores {name!r} in a filter and would answer everything. Filter by another field.",
                name=name,
            )
        )
    if operator in _ARRAY_OPERATORS:
        _check_array(key, value)
    elif _is_array(value):
        raise InvalidRequestError(
            say("filter: only @ (in) and !@ (not in) take an array; write '@{name}'.", name=name)
        )
    else:
        _check_scalar(key, value)
    if operator == "%" and isinstance(value, str) and "%" in value:
        raise InvalidRequestError(
            say(
                "filter: {key!r} finds the value anywhere; for a pattern with % use '=%{name}'.",
                key=key,
                name=name,
            )
        )


def _is_array(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _check_array(key: str, values: object) -> None:
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise InvalidRequestError(say("filter: {key!r} takes an array of values.", key=key))
    for value in values:
        _check_scalar(key, value)


def _check_scalar(key: str, value: object) -> None:
    if isinstance(value, Mapping):
        raise InvalidRequestError(
            say(
                'filter: {key!r} takes a value, not an object. The key of a group is a number: {{"0": {{…}}}}.',
                key=key,
            )
        )
    if not isinstance(value, str | int | float | None):
        raise InvalidRequestError(
            say(
                "filter: {key!r} is compared with text, numbers, booleans or null; a moment is written as text, Y-m-d H:i:s.",
                key=key,
            )
        )


def _check_order(order: Order) -> None:
    for name, direction in order.items():
        if str(direction).upper() not in {"ASC", "DESC"}:
            raise InvalidRequestError(
                say(
                    "order: {name!r} is sorted ASC or DESC, not {direction!r}. Write one of the two.",
                    name=name,
                    direction=direction,
                )
            )
