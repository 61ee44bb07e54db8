"""Quotation of names from outside in our sentences."""

from __future__ import annotations

import json

LONGEST_NAME = 80


def quote(name: str | None, longest: int = LONGEST_NAME) -> str:
    """Quote a name from outside: on one line, shortened, set off from our words, without marks that turn text around."""
    text = "".join(character if character.isprintable() else "�" for character in name or "")
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return json.dumps(cut, ensure_ascii=False)
