"""Text from outside, made fit for a sentence. No value of a connection passes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from bi_mcp.language import say
from bi_mcp.secret import Secret, redact

Connection: TypeAlias = Mapping[str, Secret]

LONGEST_QUOTE = 120
LONGEST_REFUSAL = 200
# Where services put their sentence, the usual ones first.
SENTENCES = ("error_description", "message", "detail", "error", "description", "title")


def safe_text(text: str, connection: Connection, *, longest: int = LONGEST_QUOTE) -> str:
    """Text from outside for a sentence: on one line, short, and without what it shares with the connection."""
    return one_line(redact(text, connection.values()), longest=longest)


def one_line(text: str, *, longest: int = LONGEST_QUOTE) -> str:
    """Text for a sentence that is not compared with a connection, since whoever reads it wrote it or may read it anyway."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    return line if len(line) <= longest else line[:longest] + "…"


def named(url: str, connection: Connection) -> str:
    """An address for a sentence, without its user and its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return say("The endpoint")
    return safe_text(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", connection)


def quote_refusal(body: bytes, connection: Connection) -> str:
    """The sentence in the body of a refusal: of JSON the usual key, of plain text all; of a web page nothing."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        return ""
    try:
        found = _sentence(json.loads(text))
    except (ValueError, RecursionError):
        found = text
    return safe_text(found, connection, longest=LONGEST_REFUSAL)


def _sentence(answer: object) -> str:
    if not isinstance(answer, dict):
        return answer if isinstance(answer, str) else ""
    for key in SENTENCES:
        value = answer.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, dict):
            return _sentence(value)
    return ""
