"""Query strings with nested keys, read the way PHP reads them: `fields[list][0][name]=ID`."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

Nested: TypeAlias = "str | dict[str, Nested] | list[Nested]"

MAX_DEPTH = 64

_STEP = re.compile(r"\[([^\]]*)\]")


def parse_brackets(query: str) -> dict[str, Nested]:
    """Parse a query string; every leaf is a string. `a[]=1` appends; keys 0, 1, 2… in this order make a list."""
    root: dict[str, Nested] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        steps = [head, *_STEP.findall(name[len(head) :])] if bracket else [head]
        # PHP drops anything that is nested deeper, so a query cannot exhaust the stack.
        if len(steps) <= MAX_DEPTH:
            _store(root, steps, value)
    return {key: _with_lists(value) for key, value in root.items()}


def is_list_like(keys: list[str]) -> bool:
    """Check for a list in PHP's one array type: keys that count 0, 1, 2…, or an empty array."""
    return keys == [str(index) for index in range(len(keys))]


def _store(target: dict[str, Nested], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        key = step or str(len(target))
        below = target.get(key)
        if not isinstance(below, dict):
            below = target[key] = {}
        target = below
    target[steps[-1] or str(len(target))] = value


def _with_lists(value: Nested) -> Nested:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(below) for key, below in value.items()}
    return list(inner.values()) if is_list_like(list(inner)) else inner
