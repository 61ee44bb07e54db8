"""The checks that connectors, sources and datasets share, in the order in which the portal makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bi_mcp.config import Generation
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.parameters import as_boolean, as_integer, as_sequence
from bi_mcp.practice.portal.schema import Field, Schema


def object_id(parameters: Mapping[str, object], generation: Generation) -> int:
    value = parameters.get("id")
    # The classic generation looks only whether there is one.
    given = "id" in parameters and value != "" if generation == "classic" else value not in (None, "")
    if not given:
        raise ModuleFault("VALIDATION_ID_NOT_PROVIDED", "ID is missing.")
    number = as_integer(value)
    if number is None or number < 1:
        raise ModuleFault("VALIDATION_INVALID_ID_FORMAT", "ID has to be a positive integer.")
    return number


def given_fields(parameters: Mapping[str, object]) -> Mapping[str, object]:
    """Return `fields`; an empty map counts as not provided."""
    fields = parameters.get("fields")
    if not isinstance(fields, Mapping) or not fields:
        raise ModuleFault("VALIDATION_FIELDS_NOT_PROVIDED", "Fields not provided.")
    return fields


def check_new(schema: Schema, fields: Mapping[str, object], generation: Generation) -> dict[str, object]:
    """Check the fields of an `add` and return them with the types of the schema."""
    # An empty list is a value: a connector may have no settings. In the classic generation an empty text is one, too.
    missing = (None,) if generation == "classic" else (None, "")
    _refuse_unknown(schema, fields)
    for title, field in schema.items():
        if field.rule == "required" and fields.get(title) in missing:
            raise ModuleFault("VALIDATION_REQUIRED_FIELD_MISSING", f'Field "{title}" is required.')
    _refuse_read_only(schema, fields)
    return _with_types(schema, fields)


def check_changes(schema: Schema, fields: Mapping[str, object]) -> dict[str, object]:
    """Check the fields of an `update` and return them with the types of the schema."""
    _refuse_unknown(schema, fields)
    _refuse_read_only(schema, fields)
    for title in fields:
        if schema[title].immutable:
            raise ModuleFault("VALIDATION_IMMUTABLE_FIELD", f'Field "{title}" is immutable.')
    return _with_types(schema, fields)


def invalid_type(title: str, expected: str) -> ModuleFault:
    return ModuleFault("VALIDATION_INVALID_FIELD_TYPE", f'Field "{title}" must be of type {expected}.')


def duplicates(values: Iterable[object]) -> list[str]:
    """Return each value that occurs more than once, once, in order of appearance."""
    seen: dict[str, int] = {}
    for value in values:
        seen[str(value)] = seen.get(str(value), 0) + 1
    return [value for value, count in seen.items() if count > 1]


def _refuse_unknown(schema: Schema, fields: Mapping[str, object]) -> None:
    unknown = [title for title in fields if title not in schema]
    if unknown:
        raise ModuleFault("VALIDATION_UNKNOWN_PARAMETERS", f"Unknown parameters: {', '.join(unknown)}")


def _refuse_read_only(schema: Schema, fields: Mapping[str, object]) -> None:
    for title in fields:
        if schema[title].rule == "read only":
            raise ModuleFault("VALIDATION_READ_ONLY_FIELD", f'Field "{title}" is read only.')


def _with_types(schema: Schema, fields: Mapping[str, object]) -> dict[str, object]:
    return {title: _with_type(schema[title], value) for title, value in fields.items()}


def _with_type(field: Field, value: object) -> object:
    typed = _parse(field, value)
    if typed is None:
        raise invalid_type(field.title, field.type)
    # The documentation limits these lengths and gives no error code for them; the nearest one is taken.
    if field.max_length is not None and isinstance(typed, str) and len(typed) > field.max_length:
        raise invalid_type(field.title, f"{field.type} of at most {field.max_length} characters")
    return typed


def _parse(field: Field, value: object) -> object:
    """Parse a value; None if it is not of the field's type."""
    match field.type:
        case "integer":
            return as_integer(value)
        case "boolean":
            return as_boolean(value) if isinstance(value, bool) or not field.strict else None
        case "array":
            return value if as_sequence(value) is not None else None
        case _:
            return value if isinstance(value, str) else None
