"""Answers of bounded size: what a model reads must leave room for its work. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

# Of the structured content as JSON; the text holds the same once more. The documentation names it.
MOST_CHARACTERS = 60_000
# Of one text, where an answer is too long as a whole.
LONGEST_TEXT = 500
# For the notice, which is written last.
_ROOM = 600
# Of files only, which no dataset here is made from.
_SELDOM = frozenset({"csvHasHeaders"})
# A call that is offered must be usable unchanged.
_WHOLE = frozenset({"call", "calls", "notice"})


def compact(content: object) -> str:
    """JSON without spaces."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def fit(content: dict[str, Any], lists: Sequence[str], advice: str) -> dict[str, Any]:
    """Cut long texts, then the ends of these lists (`"items"`, `"item.fields"`), until the content is small enough.

    The notice then names the missing parts, and `advice` says how to get them.
    """
    if len(compact(content)) <= MOST_CHARACTERS:
        return content
    cut: dict[str, Any] = _with_short_texts(content)
    notes = [f"texts are cut after {LONGEST_TEXT} characters"]
    for path in lists:
        *outer, name = path.split(".")
        holder = cut
        for key in outer:
            holder = holder.get(key) or {}
        entries = holder.get(name) or []
        excess = len(compact(cut)) + _ROOM - MOST_CHARACTERS
        kept = _count_kept(entries, excess)
        if kept < len(entries):
            holder[name] = entries[:kept]
            notes.append(f"{name} holds the first {kept} of {len(entries)}")
    shortened = f"Shortened to {MOST_CHARACTERS} characters: {', '.join(notes)}. {advice}"
    cut["notice"] = " ".join(part for part in (shortened, content.get("notice")) if part)
    return cut


def drop_empty(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out of the objects in `item` and `items` what is empty: portals answer fields that nobody has filled in, in every object."""
    shown = dict(content)
    if isinstance(shown.get("item"), dict):
        shown["item"] = _filled(shown["item"])
    if isinstance(shown.get("items"), list):
        shown["items"] = [_filled(item) if isinstance(item, dict) else item for item in shown["items"]]
    return shown


def _filled(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value != "" and (value or name not in _SELDOM)}


def _count_kept(entries: Sequence[object], excess: int) -> int:
    """Count the entries that stay when so many characters must go. At least one stays."""
    kept = len(entries)
    while kept > 1 and excess > 0:
        kept -= 1
        excess -= len(compact(entries[kept])) + 1
    return kept


def _with_short_texts(value: Any) -> Any:
    match value:
        case dict():
            return {key: part if key in _WHOLE else _with_short_texts(part) for key, part in value.items()}
        case list():
            return [_with_short_texts(part) for part in value]
        case str() if len(value) > LONGEST_TEXT:
            return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
        case _:
            return value
