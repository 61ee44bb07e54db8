"""Encrypted documents and locks in Redis."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis
    from redis.asyncio.lock import Lock

    from bi_mcp.base.secret import Secret

PREFIX = "bi-mcp:"
# Longer than a renewal takes. A replica that dies frees its lock after that time.
LOCK_LIFETIME_S = 60.0
# Longer than a lock lives, so that a dead holder's is outlived.
LOCK_PATIENCE_S = 90.0
_POLL_S = 0.05
# The same on every replica.
_SALT = b"bi-mcp shared store"


class UnreadableValueError(Exception):
    """A value that was not encrypted with the shared key."""


class SharedStore:
    """Documents that only holders of the shared key can read or write, and locks that Redis frees when their holder dies."""

    def __init__(self, redis: Redis, key: Secret) -> None:
        self._redis = redis
        digest = hashlib.scrypt(key.reveal().encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32)
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))

    async def get(self, name: str) -> Mapping[str, Any] | None:
        """Return a document, None if there is none. Raises `UnreadableValueError`."""
        value = await self._redis.get(PREFIX + name)
        if value is None:
            return None
        try:
            document: Mapping[str, Any] = json.loads(self._fernet.decrypt(value))
        except InvalidToken:
            raise UnreadableValueError(name) from None
        return document

    async def put(self, name: str, document: Mapping[str, object], *, replace: bool = True) -> None:
        """Write a document; without `replace` only where there is none."""
        value = self._fernet.encrypt(json.dumps(document).encode())
        await self._redis.set(PREFIX + name, value, nx=not replace)

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""
        await self._redis.delete(PREFIX + name)

    def lock(self, name: str) -> Lock:
        """Build the lock of this name."""
        return self._redis.lock(
            f"{PREFIX}lock:{name}",
            timeout=LOCK_LIFETIME_S,
            blocking_timeout=LOCK_PATIENCE_S,
            sleep=_POLL_S,
        )
