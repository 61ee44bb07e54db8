"""`filter` of a list method: operators, groups and logic become one SQL condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bi_mcp.config import Generation
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.parameters import as_boolean, as_integer, as_mapping, as_sequence
from bi_mcp.practice.portal.schema import Field, Schema

Condition: TypeAlias = tuple[str, list[object]]

EVERYTHING: Condition = ("1", [])


def parse_filter(schema: Schema, given: Mapping[str, object], generation: Generation) -> Condition:
    """Return an SQL condition and its arguments. Raises the `VALIDATION_…FILTER…` faults."""
    logic = given.get("logic", "AND")
    if isinstance(logic, str) and generation == "classic":
        logic = logic.upper()
    if logic not in ("AND", "OR"):
        raise ModuleFault("VALIDATION_INVALID_FILTER_LOGIC", 'Field "logic" must be either "AND" or "OR".')
    parts = [_part(schema, key, value, generation) for key, value in given.items() if key != "logic"]
    conditions = [part for part in parts if part is not None]
    if not conditions:
        return EVERYTHING
    joined = f" {logic} ".join(f"({sql})" for sql, _ in conditions)
    return joined, [argument for _, arguments in conditions for argument in arguments]


def _part(schema: Schema, key: str, value: object, generation: Generation) -> Condition | None:
    """Return the condition of one entry; None if the portal ignores it."""
    group = as_mapping(value) if key.isdecimal() else None
    if group is not None:
        return parse_filter(schema, group, generation) if group else None
    prefix, build = next(row for row in _OPERATORS if key.startswith(row[0]))
    title = key[len(prefix) :]
    if title not in schema:
        raise _not_allowed(title)
    if generation == "classic":
        _refuse_texts(value)
    field = schema[title]
    return None if field.type == "array" else build(field, value)


def _refuse_texts(value: object) -> None:
    """Refuse a list of texts: the classic generation mistakes their positions for names of fields."""
    texts = (key for key, below in (as_mapping(value) or {}).items() if isinstance(below, str))
    first = next(texts, None)
    if first is not None:
        raise _not_allowed(first)


def _not_allowed(title: str) -> ModuleFault:
    return ModuleFault(
        "VALIDATION_FIELD_NOT_ALLOWED_IN_FILTER", f'Field "{title}" is not allowed in the "filter".'
    )


def _comparison(operator: str) -> Callable[[Field, object], Condition]:
    def build(field: Field, value: object) -> Condition:
        return f'"{field.title}" {operator} ?', [_bound(field, value)]

    return build


def _among(field: Field, value: object) -> Condition:
    values = as_sequence(value)
    arguments = [_bound(field, one) for one in (values if values is not None else [value])]
    return f'"{field.title}" IN ({", ".join("?" for _ in arguments)})', arguments


def _not_among(field: Field, value: object) -> Condition:
    sql, arguments = _among(field, value)
    return f"NOT ({sql})", arguments


def _equal(field: Field, value: object) -> Condition:
    return _among(field, value) if isinstance(value, list) else _comparison("IS")(field, value)


def _unequal(field: Field, value: object) -> Condition:
    return _not_among(field, value) if isinstance(value, list) else _comparison("IS NOT")(field, value)


def _matches(field: Field, value: object) -> Condition:
    return _like(field, _escape(value))


def _like(field: Field, pattern: str) -> Condition:
    return f"\"{field.title}\" LIKE ? ESCAPE '^'", [pattern]


def _escape(value: object) -> str:
    """Escape all wildcards but `%`: underscores are common in names."""
    return str(value).replace("^", "^^").replace("_", "^_")


def _bound(field: Field, value: object) -> object:
    if field.type == "boolean":
        return as_boolean(value)
    if field.type == "integer":
        number = as_integer(value)
        return str(value) if number is None and value is not None else number
    return None if value is None else str(value)


# Longer prefixes first: "=%" starts with "=", "!@" with "!".
_OPERATORS: tuple[tuple[str, Callable[[Field, object], Condition]], ...] = (
    (">=", _comparison(">=")),
    ("<=", _comparison("<=")),
    ("!@", _not_among),
    ("!=", _unequal),
    ("=%", _matches),
    ("%=", _matches),
    (">", _comparison(">")),
    ("<", _comparison("<")),
    ("@", _among),
    ("%", lambda field, value: _like(field, f"%{_escape(value).replace('%', '^%')}%")),
    ("=", _equal),
    ("!", _unequal),
    ("", _equal),
)
