"""The spelling of a connected client's codes and tokens, and their SHA-256, by which alone they are kept.

Each holds the id of its client, under which all that belongs to it is found in one look. A refresh token also holds what all
refresh tokens of this client have in common, by which one that was used is told from one that was made up. Its last part is
its own. The prefixes let scanners recognise one that got out.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from bi_mcp.base.secret import Secret

if TYPE_CHECKING:
    from bi_mcp.auth.person import Person

_CODE = "bi_code_"
_ACCESS = "bi_at_"
_REFRESH = "bi_rt_"
_TAG_DIGITS = 8
_ID_BYTES = 12
_FAMILY_BYTES = 16
_LAST_BYTES = 32

ID = re.compile(r"[0-9a-f]{32}")
CODE = re.compile(rf"{_CODE}(?P<id>{ID.pattern})[\w-]{{43}}", re.ASCII)
ACCESS = re.compile(rf"{_ACCESS}(?P<id>{ID.pattern})[\w-]{{43}}", re.ASCII)
REFRESH = re.compile(rf"{_REFRESH}(?P<id>{ID.pattern})(?P<family>[\w-]{{22}})[\w-]{{43}}", re.ASCII)


def make_id(person: Person) -> str:
    """Make the id of a new client of a person. It is not a secret."""
    return f"{tag_of(person)}{secrets.token_hex(_ID_BYTES)}"


def tag_of(person: Person) -> str:
    """Return the beginning of the ids of a person's clients, by which they are found without opening those of others."""
    return person.mark[:_TAG_DIGITS]


def make_family() -> str:
    """Make what all refresh tokens of a client have in common."""
    return secrets.token_urlsafe(_FAMILY_BYTES)


def make_code(id: str) -> Secret:
    """Make the authorization code of a client."""
    return Secret(f"{_CODE}{id}{secrets.token_urlsafe(_LAST_BYTES)}")


def make_access(id: str) -> Secret:
    """Make an access token of a client."""
    return Secret(f"{_ACCESS}{id}{secrets.token_urlsafe(_LAST_BYTES)}")


def make_refresh(id: str, family: str) -> Secret:
    """Make a refresh token of a client."""
    return Secret(f"{_REFRESH}{id}{family}{secrets.token_urlsafe(_LAST_BYTES)}")


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token or of a part of it, hexadecimal."""
    return sha256(token.encode()).hexdigest()


def is_token(token: str, kept: str) -> bool:
    """Return whether a token, or a part of it, is the one whose SHA-256 was kept; empty was none."""
    return bool(kept) and hmac.compare_digest(hash_token(token), kept)
