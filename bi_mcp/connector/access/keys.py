"""Access keys. What is kept of a key is its hash: keys are long and random, so that a plain one is enough."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError

SHORTEST_KEY = 16
_HASH = re.compile(r"sha256:([0-9a-fA-F]{64})")


@dataclass(frozen=True)
class AccessKey:
    """The hash of a key, and the names of the sources that it opens; None are all."""

    digest: bytes
    sources: frozenset[str] | None = None

    def opens(self, source: str) -> bool:
        return self.sources is None or source in self.sources


def make_key() -> Secret:
    """Make a key of 192 random bits."""
    return Secret(secrets.token_urlsafe(24))


def hash_key(key: Secret) -> bytes:
    return hashlib.sha256(key.reveal().encode(errors="surrogatepass")).digest()


def write_hash(key: Secret) -> str:
    """Write a key's hash as a configuration holds it."""
    return f"sha256:{hash_key(key).hex()}"


def read_hash(text: str) -> bytes:
    """Read what `write_hash` writes. Raises ValueError, which does not repeat the text: it may be the key itself."""
    found = _HASH.fullmatch(text)
    if found is None:
        raise ValueError("it must be sha256: and 64 hexadecimal digits")
    return bytes.fromhex(found[1])


def key_from(value: Secret, where: str, sources: frozenset[str] | None = None) -> AccessKey:
    """Build a key from its value. Raises ConfigError for one that can be guessed; `where` says what named it."""
    if len(value.reveal()) < SHORTEST_KEY:
        raise ConfigError(
            say(
                "{where} is too short for an access key: it takes at least {shortest} characters. `bi-mcp connector key` makes one.",
                where=where,
                shortest=SHORTEST_KEY,
            )
        )
    return AccessKey(hash_key(value), sources)


def find_keys(keys: Sequence[AccessKey], given: Secret) -> list[AccessKey]:
    """Return the keys that a text is. It takes as long for a wrong text as for a right one."""
    digest = hash_key(given)
    return [key for key in keys if hmac.compare_digest(key.digest, digest)]
