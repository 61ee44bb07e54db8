"""Encrypted documents and locks in Redis."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
from cryptography.fernet import Fernet, InvalidToken
from redis.exceptions import WatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

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


# Signs that mean something in a pattern of Redis.
_PATTERN = re.compile(r"([*?\[\]\\^-])")
_NAMES_AT_ONCE = 1000


class UnreadableValueError(Exception):
    """A value that was not encrypted with the shared key."""


class LockedElsewhereError(Exception):
    """A lock that another replica kept for too long."""


class SharedStore:
    """Documents that only holders of the shared key can read or write, and locks that Redis frees when their holder dies."""

    def __init__(self, redis: Redis, key: Secret) -> None:
        self._redis = redis
        digest = hashlib.scrypt(key.reveal().encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32)
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))

    async def get(self, name: str) -> Mapping[str, Any] | None:
        """Return a document, None if there is none. Raises `UnreadableValueError`."""
        return self._open(name, await self._redis.get(PREFIX + name))

    async def put(
        self,
        name: str,
        document: Mapping[str, object],
        *,
        replace: bool = True,
        lifetime_s: float | None = None,
    ) -> bool:
        """Write a document; without `replace` only where there is none. Returns whether it was written."""
        value = self._seal(document)
        return bool(await self._redis.set(PREFIX + name, value, nx=not replace, px=_milliseconds(lifetime_s)))

    async def take(self, name: str) -> Mapping[str, Any] | None:
        """Return a document and delete it, None if there is none. Raises `UnreadableValueError`; then it is gone, too."""
        return self._open(name, await self._redis.getdel(PREFIX + name))

    async def change(
        self,
        name: str,
        change: Callable[[Mapping[str, Any]], Mapping[str, object] | None],
        *,
        lifetime_s: float | None = None,
    ) -> Mapping[str, object] | None:
        """Replace a document by what `change` makes of it, in one step; None leaves it. `change` is asked again where others were faster.

        Returns the new document, None where nothing was written.
        """
        key = PREFIX + name
        after: Mapping[str, object] | None = None
        sealed: bytes | None = None
        async with self._redis.pipeline() as pipe:
            while True:
                await pipe.watch(key)
                value = await pipe.get(key)
                if sealed is not None and value == sealed:
                    # It was written, and only the answer was lost with its connection.
                    return after
                before = self._open(name, value)
                after = None if before is None else change(before)
                if after is None:
                    return None
                sealed = self._seal(after)
                pipe.multi()  # type: ignore[no-untyped-call]  # the client has no types for it
                pipe.set(key, sealed, px=_milliseconds(lifetime_s))
                with suppress(WatchError):
                    await pipe.execute()
                    return after

    async def delete(self, name: str) -> None:
        """Delete a document, if there is one."""
        await self._redis.delete(PREFIX + name)

    async def names(self, prefix: str) -> list[str]:
        """Return the names that begin so. Reads all names of the store."""
        pattern = _PATTERN.sub(r"\\\1", PREFIX + prefix) + "*"
        found = {key async for key in self._redis.scan_iter(match=pattern, count=_NAMES_AT_ONCE)}
        return sorted(key.decode().removeprefix(PREFIX) for key in found)

    def lock(self, name: str) -> Lock:
        """Build the lock of this name."""
        return self._redis.lock(
            f"{PREFIX}lock:{name}",
            timeout=LOCK_LIFETIME_S,
            blocking_timeout=LOCK_PATIENCE_S,
            sleep=_POLL_S,
        )

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Lock]:
        """Hold a name against every other replica. Raises `LockedElsewhereError`."""
        lock = self.lock(name)
        # Made here: a call that is cancelled or fails while it acquires the lock may have it without having been told.
        token = secrets.token_hex(16).encode()
        try:
            if not await lock.acquire(token=token):
                raise LockedElsewhereError
            yield lock
        finally:
            # A lock that cannot be freed ends with its lifetime.
            with anyio.CancelScope(shield=True), suppress(Exception):
                await lock.do_release(token)

    def _seal(self, document: Mapping[str, object]) -> bytes:
        return self._fernet.encrypt(json.dumps(document).encode())

    def _open(self, name: str, value: bytes | str | None) -> Mapping[str, Any] | None:
        if value is None:
            return None
        try:
            document: Mapping[str, Any] = json.loads(self._fernet.decrypt(value))
        except InvalidToken:
            raise UnreadableValueError(name) from None
        return document


def _milliseconds(lifetime_s: float | None) -> int | None:
    # Redis refuses a lifetime of nothing.
    return None if lifetime_s is None else max(1, int(lifetime_s * 1000))
