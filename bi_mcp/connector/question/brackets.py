"""Form bodies with nested keys, as Bitrix24 sends them: `select[]=CARRIER&filter[>=DISTANCE]=500`."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from bi_mcp.connector.refusal import RefusalError

Nested: TypeAlias = "str | dict[str, Nested]"
Form: TypeAlias = dict[str, Nested]

DEEPEST = 20

_NUMBER = re.compile(r"[0-9]{1,9}")


def parse_form(body: bytes) -> Form:
    """Read a form body. Leaves are strings; lists are maps with the keys "0", "1"…; a repeated name counts last.

    Brackets within brackets belong to the name: `mapFields[price [EUR]]` has the key `price [EUR]`.
    """
    form: Form = {}
    numbering = _Numbering()
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        steps = _steps(name)
        if len(steps) > DEEPEST:
            raise RefusalError(
                400, f"Parameters may nest {DEEPEST} levels deep, and {steps[0][:80]!r} nests deeper."
            )
        _store(form, numbering.fill(steps), value)
    return form


class _Numbering:
    """Numbers for empty brackets: each is one more than the largest so far, as in PHP."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, ...], int] = {}

    def fill(self, steps: list[str]) -> list[str]:
        filled = steps[:1]
        for step in steps[1:]:
            list_name = tuple(filled)
            free = self._next.get(list_name, 0)
            key = step or str(free)
            if _NUMBER.fullmatch(key):
                self._next[list_name] = max(free, int(key) + 1)
            filled.append(key)
        return filled


def _steps(name: str) -> list[str]:
    head, opening, rest = name.partition("[")
    steps, begin, depth = [head], 0, 0
    text = opening + rest
    for at, character in enumerate(text):
        if character == "[":
            depth += 1
            begin = at + 1 if depth == 1 else begin
        elif character == "]":
            depth -= 1
            if depth == 0:
                steps.append(text[begin:at])
        if depth < 0 or (depth == 0 and character != "]"):
            break
    else:
        if head and "]" not in head and depth == 0:
            return steps
    raise RefusalError(400, f"The brackets of the parameter {name[:80]!r} do not match.")


def _store(form: Form, steps: list[str], value: str) -> None:
    target = form
    for step in steps[:-1]:
        below = target.get(step)
        if not isinstance(below, dict):
            below = target[step] = {}
        target = below
    target[steps[-1]] = value
