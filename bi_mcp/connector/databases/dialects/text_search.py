"""Text searches, called by SQLite for each row. Case is ignored, beyond ASCII too; a missing value never fits."""

from __future__ import annotations

import json
from functools import lru_cache


def contains_any(value: bytes | None, parts: str) -> bool:
    """Find one of the parts, a JSON list, in a text."""
    if value is None:
        return False
    text = _text(value)
    return any(part in text for part in _fold(parts))


def fits_any(value: bytes | None, patterns: str) -> bool:
    """Match a text with one of the patterns, a JSON list, in which only % is special: any run of characters."""
    if value is None:
        return False
    text = _text(value)
    return any(_fits(text, pattern) for pattern in _fold(patterns))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").casefold()


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
