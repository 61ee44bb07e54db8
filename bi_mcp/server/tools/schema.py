"""Pure: JSON Schemas as small as they can be without losing meaning. Every chat pays for them in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonSchema = dict[str, Any]

# An object by its id or its exact title. A list of types would be shorter, and clients of some models refuse one.
OBJECT_ID: JsonSchema = {"anyOf": [{"type": "integer"}, {"type": "string"}]}


def is_object_id(schema: Mapping[str, Any]) -> bool:
    """Check whether an argument takes an object's id, whatever its description says."""
    return bool(schema.get("anyOf") == OBJECT_ID["anyOf"])


# Any answer may hold it.
_OF_EVERY_ANSWER = frozenset({"notice"})


def slim(schema: JsonSchema) -> JsonSchema:
    """Inline definitions; drop generated titles, null alternatives and null defaults; keep everything else."""
    definitions = schema.get("$defs", {})
    # The root's description is a class's docstring, written for readers of the code; the tool has its own.
    slimmed = _slim(
        {key: value for key, value in schema.items() if key not in {"$defs", "description"}}, definitions
    )
    assert isinstance(slimmed, dict)  # noqa: S101  an object stays an object
    return slimmed


def slim_answer(schema: JsonSchema) -> JsonSchema:
    """Slim the schema of an answer like `slim`, and keep its own properties with their types only.

    What the parts hold, an answer shows by itself; described here, it would be half of what every chat pays for the tools.
    """
    slimmed = slim(schema)
    properties = {
        name: {key: value for key, value in part.items() if key == "type"}
        for name, part in slimmed["properties"].items()
        if name not in _OF_EVERY_ANSWER
    }
    return {key: slimmed[key] for key in ("type", "required") if key in slimmed} | {"properties": properties}


def _slim(node: Any, definitions: JsonSchema) -> Any:
    if isinstance(node, list):
        return [_slim(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    # An optional model is a reference again once the null is gone.
    node = _resolve(_without_null(_resolve(node, definitions)), definitions)
    slimmed = {key: _slim(value, definitions) for key, value in node.items() if not _is_noise(key, value)}
    if "properties" in node:
        # Names of properties are not keywords: a property called title must survive.
        slimmed["properties"] = {name: _slim(part, definitions) for name, part in node["properties"].items()}
    return slimmed


def _resolve(node: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    reference = node.get("$ref")
    if reference is None:
        return node
    definition = definitions[reference.removeprefix("#/$defs/")]
    # A class's docstring explains it to Python readers; the model reads the property's own description.
    inlined = {key: value for key, value in definition.items() if key != "description"}
    return inlined | {key: value for key, value in node.items() if key != "$ref"}


def _without_null(node: JsonSchema) -> JsonSchema:
    """Drop null: an optional argument may simply be left out, and an answer leaves out fields without a value."""
    alternatives = node.get("anyOf")
    if not alternatives:
        return node
    kept = [part for part in alternatives if part.get("type") != "null"]
    if len(kept) != 1:
        return node | {"anyOf": kept}
    only: JsonSchema = kept[0]
    return only | {key: value for key, value in node.items() if key != "anyOf"}


def _is_noise(key: str, value: Any) -> bool:
    return (
        (key == "title" and isinstance(value, str))
        or (key == "default" and value in (None, [], {}))
        or (key == "additionalProperties" and value is True)
        or (key == "minLength" and value == 1)
        or key == "properties"
    )
