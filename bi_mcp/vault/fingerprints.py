"""Fingerprints of values: enough to recognise a value that a portal still holds, not enough to read it.

A fingerprint is an HMAC-SHA-256 with a random key, which is kept where the values themselves are kept.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from bi_mcp.base.secret import Secret

# No secret can be stored under this name.
KEY_NAME = ".fingerprint-key"
_KEY_BYTES = 32
_CHECK_DIGITS = 8


@dataclass(frozen=True)
class FingerprintKey:
    """A key in its stored form. It recognises the fingerprints that were made with it."""

    kept: Secret

    def fingerprint(self, value: Secret) -> str:
        """Return the fingerprint of a value. Space around it does not count: portals trim."""
        return f"{self._check()}:{self._digest(trim(value).reveal())}"

    def recognises(self, fingerprint: str) -> bool:
        """Check whether a fingerprint was made with this key, so that values can be compared with it."""
        return fingerprint.startswith(f"{self._check()}:")

    def _check(self) -> str:
        return self._digest("")[:_CHECK_DIGITS]

    def _digest(self, text: str) -> str:
        key = self.kept.reveal().encode(errors="surrogatepass")
        return hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()


def make_key() -> FingerprintKey:
    """Make a key that cannot be guessed."""
    return FingerprintKey(Secret(secrets.token_hex(_KEY_BYTES)))


def trim(value: Secret) -> Secret:
    """Return the value without space around it; a value of spaces only stays unchanged."""
    text = value.reveal()
    return Secret(text.strip() or text)
