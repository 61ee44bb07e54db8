"""Pure: arguments as a model sends them, repaired where the meaning is certain and explained where it is not."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from bi_mcp.base.foreign_json import is_deep
from bi_mcp.base.language import say, text
from bi_mcp.server.tools.schema import is_object_id
from bi_mcp.server.tools.synonyms import COLUMN, find_meant, rename

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError


# Enough to repair; the rest shows once these are.
MOST_PROBLEMS = 20
LONGEST_NAME = 100
# In bits, as of an id.
LONGEST_NUMBER = 63

# A model repairs a name faster by words than by a regular expression.
_PATTERNS_IN_WORDS = {
    "^[a-z][a-z0-9_]*$": text("begins with a small Latin letter, then only a-z, 0-9 and _"),
    "^[A-Z][A-Z0-9_]*$": text("begins with a capital Latin letter, then only A-Z, 0-9 and _"),
}
_WHOLE = text("a whole number is expected")
_BOOLEAN = text("true or false is expected, without quotes")
_OBJECT = text("an object is expected")
# By pydantic's names.
_KINDS_IN_WORDS = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "string_type": text("text is expected"),
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "list_type": text("an array is expected"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}
_BOOLEANS: dict[object, bool] = {
    "true": True,
    "y": True,
    "yes": True,
    "1": True,
    "false": False,
    "n": False,
    "no": False,
    "0": False,
    1: True,
    0: False,
}
_REFERENCES = frozenset({"env", "file", "secret"})
_WHOLE_NUMBER = re.compile(r"\s*-?[0-9]{1,18}\s*")


def repair(schema: Mapping[str, Any], value: object) -> object:
    """Read what can only mean one thing: JSON as text, a number or a boolean in quotes, a word in other capitals, null for absent."""
    kind = schema.get("type")
    if isinstance(value, str) and kind in {"object", "array"}:
        value = _parse(value)
    if isinstance(value, dict):
        return repair_object(schema, value)
    if isinstance(value, list):
        return [repair(schema.get("items", {}), part) for part in value]
    if kind == "string":
        return _repair_text(schema, value)
    if kind == "boolean":
        return _BOOLEANS.get(value.strip().lower() if isinstance(value, str) else value, value)
    # A number as text in the place of an id may also be a title: only the portal knows.
    if kind == "integer" and isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return value


def repair_object(
    schema: Mapping[str, Any], value: Mapping[str, object], own: str = COLUMN
) -> dict[str, object]:
    """Repair the parts of an object. Null means absent where the schema knows an optional property of that name.

    `own` is the kind of object that `id` means.
    """
    properties, required = schema.get("properties", {}), schema.get("required", ())
    others = schema.get("additionalProperties")
    rest = others if isinstance(others, dict) else {}
    return {
        key: repair(properties.get(key, rest), part)
        for key, part in rename(schema, value, own).items()
        if part is not None or key not in properties or key in required
    }


def read_references(settings: object) -> object:
    """Read references to secrets that were sent as JSON text, as some hosts do. A real password does not look like one."""
    if not isinstance(settings, dict):
        return settings
    return {code: _reference(value) or value for code, value in settings.items()}


def find_unknown(schema: Mapping[str, Any], arguments: Mapping[str, object], own: str) -> str:
    """Name the top-level arguments that a tool does not have; empty where there are none."""
    unknown = [name for name in arguments if name not in schema["properties"]]
    inner = schema["properties"].get("fields", {}).get("properties", {})
    places = {name: find_meant(inner, name) for name in unknown}
    misplaced = [place for place in places.values() if place]
    strange = [name for name in unknown if not places[name]]
    problems = [_unknown(schema, name, _short(name), own) for name in strange[:MOST_PROBLEMS]]
    if misplaced:
        example = f'{{"fields": {{"{misplaced[0]}": …}}}}'
        problems.insert(
            0, say("put {names} into fields: {example}", names=", ".join(misplaced), example=example)
        )
    return _join_problems(problems, len(strange) + bool(misplaced))


def explain(tool: str, schema: Mapping[str, Any], error: ValidationError) -> str:
    """Say which arguments are wrong and how to write them. Never repeats a value: it may be a secret."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    lines = list(
        dict.fromkeys(
            _problem(schema, problem["loc"], problem["type"], problem["msg"]) for problem in problems
        )
    )
    return say(
        "{name} was not sent: {unknown}. Correct the arguments and call again.",
        name=tool,
        unknown=_join_problems(lines[:MOST_PROBLEMS], len(lines)),
    )


def _repair_text(schema: Mapping[str, Any], value: object) -> object:
    # Python refuses to write numbers of thousands of digits.
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= LONGEST_NUMBER:
        return str(value)
    if not isinstance(value, str):
        return value
    meant = [word for word in schema.get("enum", ()) if word.lower() == value.strip().lower()]
    return meant[0] if len(meant) == 1 else value


def _reference(value: object) -> object:
    parsed = _parse(value) if isinstance(value, str) else None
    return (
        parsed if isinstance(parsed, dict) and len(parsed) == 1 and _REFERENCES.issuperset(parsed) else None
    )


def _parse(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # Since Python 3.15 the parser goes deeper than the code that follows here.
    return text if is_deep(value) else value


def _problem(schema: Mapping[str, Any], path: Sequence[int | str], kind: str, message: str) -> str:
    steps, holder, here = _walk(schema, path)
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in steps).lstrip(
        "."
    )
    if "anyOf" in here and not is_object_id(here):
        # Pydantic would explain for each form why it does not fit.
        forms = say("text, a whole number or an object is expected")
        return f"{where}: {forms}{_shape(holder)}"
    if kind == "missing":
        return say("{name} is required", name=where)
    if kind == "extra_forbidden":
        return _unknown(holder, str(path[-1]), where)
    if kind == "string_pattern_mismatch":
        rule = here.get("pattern", "")
        return f"{where} {say(_PATTERNS_IN_WORDS[rule]) if rule in _PATTERNS_IN_WORDS else message}"
    if kind in _KINDS_IN_WORDS:
        return f"{where}: {say(_KINDS_IN_WORDS[kind])}{_shape(here)}"
    return f"{where}: {message.removeprefix('Value error, ')}"


def _walk(
    schema: Mapping[str, Any], path: Sequence[int | str]
) -> tuple[list[int | str], Mapping[str, Any], Mapping[str, Any]]:
    """Follow a path: return its steps, the schema of the object that holds the last one, and the schema of the last
    one.

    pydantic's paths also name the branches of a union by their types; these are not part of the model's input.
    """
    steps: list[int | str] = []
    holder: Mapping[str, Any] = {}
    here: Mapping[str, Any] = schema
    for step in path:
        if "anyOf" in here:
            break
        steps.append(step)
        others = here.get("additionalProperties")
        inner = here.get("items") if isinstance(step, int) else here.get("properties", {}).get(step, others)
        holder, here = here, inner if isinstance(inner, dict) else {}
    return steps, holder, here


def _unknown(holder: Mapping[str, Any], name: str, where: str, own: str = COLUMN) -> str:
    meant = find_meant(holder.get("properties", {}), name, own)
    if meant is not None:
        # Otherwise it would have been taken for that one.
        return say("{name} and {other} mean the same and differ: leave {name} out", name=where, other=meant)
    return say("{name} is unknown{suggestion}", name=where, suggestion=_suggest(holder, _short(name)))


def _short(name: str) -> str:
    """Shorten a name. Names are the caller's and may have any length."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _join_problems(problems: Sequence[str], count: int) -> str:
    left_out = [say("and {count} more", count=count - len(problems))] if count > len(problems) else []
    return "; ".join([*problems, *left_out])


def _shape(schema: Mapping[str, Any]) -> str:
    """Show how an object or an array is written, to follow the words that ask for one."""
    if schema.get("type") == "array":
        return say(", such as {example}", example=f"[{_example(schema.get('items', {}))}]")
    if schema.get("type") != "object":
        return ""
    description = schema.get("description", "")
    return (
        f": {description}"
        if description.startswith("{")
        else say(", such as {example}", example=_example(schema))
    )


def _example(schema: Mapping[str, Any]) -> str:
    kind = "integer" if is_object_id(schema) else schema.get("type")
    if kind != "object":
        return {"integer": "1", "string": '"…"'}.get(str(kind), "…")
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and "enum" in values:
        return f'{{"…": "{values["enum"][0]}"}}'
    names = schema.get("required") or list(schema.get("properties", {}))[:1]
    inner = ", ".join(f'"{name}": …' for name in names)
    return "{" + (inner or "…") + "}"


def _suggest(holder: Mapping[str, Any], name: str) -> str:
    names = list(holder.get("properties", {}))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return say("; did you mean {name}?", name=close[0])
    return say(" (known: {names})", names=", ".join(names)) if names else ""
