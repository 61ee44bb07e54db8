"""Text from outside, made fit for a sentence. No value of a connection passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from bi_mcp.language import say
from bi_mcp.secret import Secret, redact

Connection: TypeAlias = Mapping[str, Secret]

LONGEST_QUOTE = 120


def safe_text(text: str, connection: Connection, *, longest: int = LONGEST_QUOTE) -> str:
    """Text from outside for a sentence: on one line, short, and without what it shares with the connection."""
    line = redact(text, connection.values())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= longest else line[:longest] + "…"


def named(url: str, connection: Connection) -> str:
    """An address for a sentence, without its user and its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return say("The endpoint")
    return safe_text(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", connection)
