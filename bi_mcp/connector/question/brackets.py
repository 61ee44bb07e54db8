"""Form bodies with nested keys, as Bitrix24 sends them: `select[]=CARRIER&filter[>=DISTANCE]=500`."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from bi_mcp.connector.refusal import RefusalError

Nested: TypeAlias = "str | dict[str, Nested]"
Form: TypeAlias = dict[str, Nested]

DEEPEST = 20
# A list of 10 000 values has room in them; what is made of a body is then no more than some ten times its size.
MOST_PARAMETERS = 30_000
MOST_STEPS = 150_000
# Percent signs take a hundred times their length while they are resolved.
LONGEST_PARAMETER = 262_144
_LONGEST_NAMED = 65_536

_NUMBER = re.compile(r"[0-9]{1,9}")


def parse_form(body: bytes) -> Form:
    """Read a form body. Leaves are strings; lists are maps with the keys "0", "1"…; a repeated name counts last.

    Brackets within brackets belong to the name: `mapFields[price [EUR]]` has the key `price [EUR]`. Raises RefusalError for
    what is no such form, and for one of too many parts.
    """
    _refuse_too_many(body)
    if any(len(part) > LONGEST_PARAMETER for part in body.split(b"&")):
        raise RefusalError(413, f"A parameter may hold {LONGEST_PARAMETER} bytes at most.")
    form = _Level()
    walked = 0
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        steps = _steps(name)
        if len(steps) > DEEPEST:
            raise RefusalError(
                400, f"Parameters may nest {DEEPEST} levels deep, and {steps[0][:80]!r} nests deeper."
            )
        walked += len(steps)
        if walked > MOST_STEPS:
            raise RefusalError(413, f"The parameters of a request may have {MOST_STEPS} brackets at most.")
        _store(form, steps, value)
    return form


def parse_named(body: bytes, name: str) -> Form:
    """Read the parameters of one plain name and of no other, which takes little whatever else a body holds."""
    _refuse_too_many(body)
    heads = tuple(name.encode() + sign for sign in (b"[", b"%5B", b"%5b", b"="))
    found = b"&".join(part for part in body.split(b"&") if part.startswith(heads))
    if len(found) > _LONGEST_NAMED:
        raise RefusalError(413, f"The parameter {name} may hold {_LONGEST_NAMED} bytes at most.")
    return parse_form(found)


def _refuse_too_many(body: bytes) -> None:
    if body.count(b"&") >= MOST_PARAMETERS:
        raise RefusalError(413, f"A request may hold {MOST_PARAMETERS} parameters at most.")


class _Level(dict[str, Nested]):
    """A map with numbers for empty brackets: each is one more than the largest so far, as in PHP."""

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free = 0

    def fill(self, step: str) -> str:
        key = step or str(self._free)
        if _NUMBER.fullmatch(key):
            self._free = max(self._free, int(key) + 1)
        return key


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


def _store(form: _Level, steps: list[str], value: str) -> None:
    target = form
    for step in steps[:-1]:
        key = target.fill(step)
        below = target.get(key)
        if not isinstance(below, _Level):
            below = target[key] = _Level()
        target = below
    target[target.fill(steps[-1])] = value
