"""Pure: what a model sends as arguments, mended where the meaning is certain and explained where it is not."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from bi_mcp.language import say, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError


# Enough to repair; the rest shows once these are.
MOST_PROBLEMS = 20
LONGEST_NAME = 100

# A model repairs a name faster by words than by a regular expression.
_PATTERNS_IN_WORDS = {
    "^[a-z][a-z0-9_]*$": text("begins with a small Latin letter, then only a-z, 0-9 and _"),
    "^[A-Z][A-Z0-9_]*$": text("begins with a capital Latin letter, then only A-Z, 0-9 and _"),
}


def parse_json_strings(schema: Mapping[str, Any], value: object) -> object:
    """Some hosts send objects and arrays as JSON text, at any depth: read it where the schema wants one."""
    if isinstance(value, str) and schema.get("type") in {"object", "array"}:
        value = _parse(value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {key: parse_json_strings(properties.get(key, {}), part) for key, part in value.items()}
    if isinstance(value, list):
        return [parse_json_strings(schema.get("items", {}), part) for part in value]
    return value


def find_unknown(schema: Mapping[str, Any], arguments: Mapping[str, object]) -> str:
    """Name the top-level arguments that a tool does not have; empty where there are none."""
    unknown = [name for name in arguments if name not in schema["properties"]]
    return _bounded([_unknown(schema, name, _short(name)) for name in unknown[:MOST_PROBLEMS]], len(unknown))


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
        unknown=_bounded(lines[:MOST_PROBLEMS], len(lines)),
    )


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _problem(schema: Mapping[str, Any], path: Sequence[int | str], kind: str, message: str) -> str:
    # Branches of a union appear in pydantic's paths as type names; they are no part of what the model wrote.
    steps, here = _walk(schema, path)
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in steps).lstrip(
        "."
    )
    if kind == "missing":
        return say("{name} is required", name=where)
    if kind == "extra_forbidden":
        return _unknown(here, str(path[-1]), where)
    if kind == "string_pattern_mismatch":
        rule = here.get("properties", {}).get(path[-1], {}).get("pattern", "")
        return f"{where} {say(_PATTERNS_IN_WORDS[rule]) if rule in _PATTERNS_IN_WORDS else message}"
    return f"{where}: {message}"


def _walk(schema: Mapping[str, Any], path: Sequence[int | str]) -> tuple[list[int | str], Mapping[str, Any]]:
    """Follow a path; return its steps and the schema of the object that holds the last one."""
    steps: list[int | str] = []
    holder: Mapping[str, Any] = {}
    here: Mapping[str, Any] = schema
    for index, step in enumerate(path):
        holder = here
        known = isinstance(step, int) or "properties" in here or "additionalProperties" in here
        if known or index == 0:
            steps.append(step)
        here = _step_into(here, step)
    return steps, holder


def _step_into(schema: Mapping[str, Any], step: int | str) -> Mapping[str, Any]:
    extra = schema.get("additionalProperties")
    places: dict[int | str, Any] = schema.get("properties", {})
    inner = schema.get("items", {}) if isinstance(step, int) else places.get(step, extra)
    return inner if isinstance(inner, dict) else {}


def _unknown(holder: Mapping[str, Any], name: str, where: str) -> str:
    return say("{name} is unknown{suggestion}", name=where, suggestion=_suggest(holder, _short(name)))


def _short(name: str) -> str:
    """Names are the caller's and may have any length."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _bounded(problems: Sequence[str], count: int) -> str:
    left_out = [say("and {count} more", count=count - len(problems))] if count > len(problems) else []
    return "; ".join([*problems, *left_out])


def _suggest(holder: Mapping[str, Any], name: str) -> str:
    names = list(holder.get("properties", {}))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return say("; did you mean {name}?", name=close[0])
    return say(" (known: {names})", names=", ".join(names)) if names else ""
