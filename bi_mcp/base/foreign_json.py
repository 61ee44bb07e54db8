"""JSON that others wrote. The standard library's parser accepts values that break later, far from their cause."""

from __future__ import annotations

import json
import re

# No answer that we know has ten; pydantic writes 255, the protocol's clients may read fewer.
MOST_LEVELS = 64

_MAY_HOLD_HALVES = re.compile(r"\\u[dD][89a-fA-F]")


def parse_foreign(body: bytes) -> object:
    """Read UTF-8 JSON. Raises `ValueError` for anything else, and for JSON that is nested deeper than `MOST_LEVELS`.

    Half a Unicode character becomes a replacement character: it could be written nowhere.
    """
    text = body.decode("utf-8-sig")
    try:
        value: object = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if is_deep(value):
        raise ValueError("it is nested too deeply")
    return _whole(value) if _MAY_HOLD_HALVES.search(text) else value


def is_deep(value: object) -> bool:
    """Check whether JSON is nested deeper than `MOST_LEVELS`. Goes level by level, and so cannot run out of stack."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_LEVELS):
        holders = [holder.values() if isinstance(holder, dict) else holder for holder in level]
        level = [part for holder in holders for part in holder if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def whole_text(text: str) -> str:
    """Join the halves of characters that JSON escapes by themselves, and replace those without another half."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(value: object) -> object:
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {whole_text(key): _whole(part) for key, part in value.items()}
    return value
