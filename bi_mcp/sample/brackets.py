"""Form bodies with nested keys, as Bitrix24 sends them: `select[]=carrier&filter[>=distance]=500`."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from bi_mcp.sample.refusal import RefusalError

Nested: TypeAlias = "str | dict[str, Nested]"
Form: TypeAlias = dict[str, Nested]

DEEPEST = 20

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")


def parse_form(body: bytes) -> Form:
    """Read a form body. Leaves are strings; lists are maps with the keys "0", "1"…; a repeated name counts last."""
    form: Form = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        whole = _NAME.fullmatch(name)
        if whole is None:
            raise RefusalError(400, f"The brackets of the parameter {name[:80]!r} do not match.")
        _store(form, [whole[1], *_STEP.findall(whole[2])], value)
    return form


def _store(form: Form, steps: list[str], value: str) -> None:
    if len(steps) > DEEPEST:
        raise RefusalError(
            400, f"Parameters may nest {DEEPEST} levels deep, and {steps[0][:80]!r} nests deeper."
        )
    target = form
    for step in steps[:-1]:
        key = step or _next_key(target)
        below = target.get(key)
        if not isinstance(below, dict):
            below = target[key] = {}
        target = below
    target[steps[-1] or _next_key(target)] = value


def _next_key(target: Form) -> str:
    number = len(target)
    while str(number) in target:
        number += 1
    return str(number)
