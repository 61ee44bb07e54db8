"""The login of a profile, kept where all replicas find it."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import LockError

from bi_mcp.app.replicas.store import PREFIX, LockedElsewhereError, UnreadableValueError
from bi_mcp.auth.store import stored_from_json, stored_to_json
from bi_mcp.auth.token import Grant
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio.lock import Lock

    from bi_mcp.app.replicas.store import SharedStore
    from bi_mcp.auth.store import Stored


class LocalLogin(Protocol):
    """The place where `bi-mcp login` put the token on this machine."""

    async def load(self, profile: str) -> Stored | None:
        """Return the stored login of a profile."""
        ...


class SharedTokenStore:
    """A `TokenStore`, as `auth.session` uses it, in Redis.

    `local` is where the first replica finds the login, and every replica a newer one: of two grants the one that
    expires last counts, since each renewal and each login expires later than all before. Nothing is ever written there.

    A lock ends with its lifetime, even if its holder still works. Who saves without it any more may only replace an older
    grant. Should two replicas renew at once after all, the portal refuses one of them with `invalid_grant`; under the lock
    of its next call that one finds the token of the other and goes on with it.
    """

    def __init__(self, store: SharedStore, local: LocalLogin | None = None) -> None:
        self._store = store
        self._local = local
        self._held: dict[str, Lock] = {}

    async def load(self, profile: str) -> Stored | None:
        """Return the stored login of a profile, None if it has none."""
        try:
            with _as_authorisation_error(profile):
                document = await self._store.get(_key(profile))
            shared = None if document is None else stored_from_json(document)
        except (UnreadableValueError, ValueError):
            raise AuthorisationError(
                say(
                    "The shared store holds a damaged token for profile {profile!r}. Delete {key} in Redis, then run `bi-mcp login` again.",
                    profile=profile,
                    key=PREFIX + _key(profile),
                ),
                code="STORE_FAILED",
            ) from None
        local = None if self._local is None else await self._local.load(profile)
        if isinstance(shared, Grant) and isinstance(local, Grant):
            return local if local.token.expires_at > shared.token.expires_at else shared
        return shared or local

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the stored login of a profile. Raises `AuthorisationError` `LOCKED` if its lock has ended meanwhile."""
        if not await self._still_holds(profile) and not await self._is_newer(profile, stored):
            raise AuthorisationError(
                say(
                    "The lock of profile {profile!r} ended before its token was saved, since this replica was held up. Another replica may have renewed the token; nothing was saved. Try again.",
                    profile=profile,
                ),
                code="LOCKED",
            )
        with _as_authorisation_error(profile):
            await self._store.put(_key(profile), stored_to_json(stored))

    async def delete(self, profile: str) -> None:
        """Forget a profile. It is not an error if there is none."""
        with _as_authorisation_error(profile):
            await self._store.delete(_key(profile))

    @asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Hold a profile against every other replica."""
        async with AsyncExitStack() as stack:
            try:
                with _as_authorisation_error(profile):
                    lock = await stack.enter_async_context(self._store.hold(_key(profile)))
            except LockedElsewhereError:
                raise AuthorisationError(
                    say(
                        "Another replica has kept profile {profile!r} locked for too long. Try again; if that does not help, restart the replicas.",
                        profile=profile,
                    ),
                    code="LOCKED",
                ) from None
            self._held[profile] = lock
            try:
                yield
            finally:
                if self._held.get(profile) is lock:
                    del self._held[profile]

    async def _still_holds(self, profile: str) -> bool:
        """Extend the lock that was taken, if there is one. False if another replica may have it."""
        lock = self._held.get(profile)
        if lock is None:
            return True
        with _as_authorisation_error(profile):
            try:
                return await lock.reacquire()
            except LockError:
                return False

    async def _is_newer(self, profile: str, stored: Stored) -> bool:
        """Tell whether a renewed grant would be lost if it were not saved: the portal has forgotten the one before."""
        shared = await self.load(profile)
        if not isinstance(stored, Grant) or not isinstance(shared, Grant):
            return False
        return stored.token.expires_at > shared.token.expires_at


def _key(profile: str) -> str:
    return f"token:{profile}"


@contextmanager
def _as_authorisation_error(profile: str) -> Iterator[None]:
    try:
        yield
    except (UnreadableValueError, LockedElsewhereError):
        raise
    except Exception as error:  # noqa: BLE001  the client fails in its own ways at a broken answer, and its texts may hold the address
        raise AuthorisationError(
            say(
                "The token of profile {profile!r} could not be read from or written to the shared store (BI_MCP_SHARED_STORE): {name}. Nothing was sent to the portal. Check that Redis runs, then try again.",
                profile=profile,
                name=type(error).__name__,
            ),
            code="STORE_FAILED",
        ) from None
