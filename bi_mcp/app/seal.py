"""Pure: tokens that confirm one act on one state for a while. Nothing is kept, so that every replica can check them."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bi_mcp.base.language import say
from bi_mcp.errors import ConfirmationError

VALID_FOR_S = 600

# A moment, a digest of the state, and the seal over both and the act.
_LAYOUT = struct.Struct(">Q16s16s")


@dataclass(frozen=True)
class Act:
    """The act that a token confirms: a call of a tool on a portal. `arguments` are fit for JSON."""

    tool: str
    portal: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Seal:
    """Issues and checks tokens. Replicas accept each other's where they have the same `key`; `clock` is unix time."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    clock: Callable[[], float] = time.time

    def digest(self, state: object) -> bytes:
        """Digest a state to sixteen bytes, which reveal nothing about it without the key."""
        return self._mac(["state", state])

    def issue(self, act: Act, digest: bytes) -> str:
        """Issue a token for this act on the state with this `digest`."""
        expires = int(self.clock()) + VALID_FOR_S
        packed = _LAYOUT.pack(expires, digest, self._sign(act, expires, digest))
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    def check(self, token: str, act: Act, digest: bytes) -> None:
        """Raise `ConfirmationError` unless the token confirms this act on this state, now."""
        expires, seen, signature = _unpack(token)
        if not hmac.compare_digest(signature, self._sign(act, expires, seen)):
            raise refusal(
                act.tool, say("confirm is not the token of a preview of this call with these arguments.")
            )
        if self.clock() >= expires:
            raise refusal(act.tool, say("the token has expired."))
        if not hmac.compare_digest(seen, digest):
            raise stale_refusal(act.tool)

    def _sign(self, act: Act, expires: int, digest: bytes) -> bytes:
        return self._mac(["act", act.tool, act.portal, act.arguments, expires, digest.hex()])

    def _mac(self, content: object) -> bytes:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hmac.digest(self.key, text.encode(), "sha256")[:16]


def refusal(tool: str, reason: str) -> ConfirmationError:
    """The error of an act that is not confirmed."""
    return ConfirmationError(
        say(
            "{tool} was not sent: {reason} Nothing was changed. Call without confirm for a new preview.",
            tool=tool,
            reason=reason,
        )
    )


def stale_refusal(tool: str) -> ConfirmationError:
    """The error of an act whose objects are no longer what the person saw."""
    return refusal(tool, say("what it would touch has changed since the preview."))


def _unpack(token: str) -> tuple[int, bytes, bytes]:
    try:
        packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return _LAYOUT.unpack(packed)
    except (ValueError, struct.error):
        # Checked like any other, and right for no act.
        return 0, b"", b""
