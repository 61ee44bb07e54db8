"""Text searches, called by SQL for each row. Case is ignored, beyond ASCII too; a missing value never fits."""

from __future__ import annotations

import json
from functools import lru_cache


def contains(value: object, part: str) -> bool:
    """Find a part in the text of a value."""
    return value is not None and part.casefold() in str(value).casefold()


def contains_any(value: object, parts: str) -> bool:
    """Find one of the parts, a JSON list, in the text of a value."""
    if value is None:
        return False
    text = str(value).casefold()
    return any(part in text for part in _fold(parts))


def fits(value: object, pattern: str) -> bool:
    """Match the text of a value with a pattern in which only % is special: any run of characters."""
    return value is not None and _fits(str(value).casefold(), pattern.casefold())


def fits_any(value: object, patterns: str) -> bool:
    """Match the text of a value with one of the patterns, a JSON list."""
    if value is None:
        return False
    text = str(value).casefold()
    return any(_fits(text, pattern) for pattern in _fold(patterns))


@lru_cache(maxsize=16)
def _fold(texts: str) -> tuple[str, ...]:
    # The rows of an answer all come with the same list.
    return tuple(text.casefold() for text in json.loads(texts))


def _fits(text: str, pattern: str) -> bool:
    first, *inner = pattern.split("%")
    if not inner:
        return text == first
    last = inner.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in inner:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
