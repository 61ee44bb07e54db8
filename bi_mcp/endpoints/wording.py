"""Text from outside for our sentences. Values of a connection are masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret, redact

Connection: TypeAlias = Mapping[str, Secret]

LONGEST_QUOTE = 120
LONGEST_REFUSAL = 200
# Where services put their sentence, the usual ones first.
SENTENCES = ("error_description", "message", "detail", "error", "description", "title")


def safe_text(text: str, connection: Connection, *, longest: int = LONGEST_QUOTE, cut: bool = False) -> str:
    """Make outside text fit for a sentence: one line, short, without the connection's values. `cut`: as in `redact`."""
    return one_line(redact(text, connection.values(), cut=cut), longest=longest)


def one_line(text: str, *, longest: int = LONGEST_QUOTE) -> str:
    """Put text on one line for a sentence. It is not compared with a connection: its reader wrote it or may read it."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    return line if len(line) <= longest else line[:longest] + "…"


def name_address(url: str) -> str:
    """Return the connector's address for a sentence, without its user and its query.

    It is not compared with the connection: an author of addresses could learn a value from a mask.
    """
    return one_line(_without_query(url))


def name_answered_address(url: str, connection: Connection) -> str:
    """Return an address from an endpoint's answer for a sentence: as `name_address`, and without the connection's values."""
    # Masked before it is shortened: the signs at which an address is cut may be a value's, too.
    return one_line(_without_query(redact(url, connection.values(), cut=False)))


def _without_query(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return say("The endpoint")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def quote_refusal(body: bytes, connection: Connection, *, cut: bool = False) -> str:
    """Return the sentence in the body of a refusal: of JSON the usual key, of plain text all; of a web page nothing.

    `cut`: the body is only the beginning of the answer.
    """
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        return ""
    try:
        found = _sentence(json.loads(text))
    except (ValueError, RecursionError):
        found = text
    return safe_text(found, connection, longest=LONGEST_REFUSAL, cut=cut)


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
