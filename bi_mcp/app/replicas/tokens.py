"""The login of a profile, kept where all replicas find it."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bi_mcp.app.replicas.lease import Lease, LeaseTimeoutError
from bi_mcp.auth.token import Grant, grant_from_json, grant_to_json
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError, BiMcpError
from bi_mcp.rest.credential import Webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from key_value.aio.protocols import AsyncKeyValue

    from bi_mcp.auth.store import Stored

COLLECTION = "bi_mcp_tokens"


class LocalLogin(Protocol):
    """The place where `bi-mcp login` put the token on this machine."""

    async def load(self, profile: str) -> Stored | None:
        """Return the stored login of a profile."""
        ...


class SharedTokenStore:
    """A `TokenStore`, as `auth.session` uses it, in a key-value store.

    `local` is where the first replica finds the login, and every replica a newer one: of two grants the one that
    expires last counts, since each renewal and each login expires later than all before. Nothing is ever written there.

    The lock is a `Lease`. Should two replicas renew at once after all, the portal refuses one of them with
    `invalid_grant`; under the lock of its next call that one finds the token of the other and goes on with it.
    """

    def __init__(
        self,
        store: AsyncKeyValue,
        local: LocalLogin | None = None,
        *,
        lease: Callable[[AsyncKeyValue, str], Lease] = Lease,
    ) -> None:
        self._store = store
        self._local = local
        self._lease = lease

    async def load(self, profile: str) -> Stored | None:
        """Return the stored login of a profile, None if it has none."""
        with _as_authorisation_error(profile):
            kept = await self._store.get(profile, collection=COLLECTION)
        shared = None if kept is None else _parse(profile, kept)
        local = None if self._local is None else await self._local.load(profile)
        return _newer(shared, local)

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the stored login of a profile."""
        document = {"webhook": stored.path.reveal()} if isinstance(stored, Webhook) else grant_to_json(stored)
        with _as_authorisation_error(profile):
            await self._store.put(profile, document, collection=COLLECTION)

    async def delete(self, profile: str) -> None:
        """Forget a profile. It is not an error if there is none."""
        with _as_authorisation_error(profile):
            await self._store.delete(profile, collection=COLLECTION)

    @asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Hold a profile against every other replica."""
        lease = self._lease(self._store, f"token_{profile}")
        with _as_authorisation_error(profile):
            await lease.acquire()
        try:
            yield
        finally:
            with _as_authorisation_error(profile):
                await lease.release()


def _newer(shared: Stored | None, local: Stored | None) -> Stored | None:
    if isinstance(shared, Grant) and isinstance(local, Grant):
        return local if local.token.expires_at > shared.token.expires_at else shared
    return shared or local


def _parse(profile: str, kept: Mapping[str, Any]) -> Stored:
    webhook = kept.get("webhook")
    if isinstance(webhook, str) and webhook:
        return Webhook(Secret(webhook))
    try:
        return grant_from_json(kept)
    except ValueError:
        raise AuthorisationError(
            say(
                "What the shared store holds for profile {profile!r} is damaged. Run `bi-mcp login` again.",
                profile=profile,
            ),
            code="STORE_FAILED",
        ) from None


@contextmanager
def _as_authorisation_error(profile: str) -> Iterator[None]:
    try:
        yield
    except BiMcpError:
        raise
    except LeaseTimeoutError:
        raise AuthorisationError(
            say(
                "Another replica has kept profile {profile!r} locked for too long. Try again; restart the replicas if it stays so.",
                profile=profile,
            ),
            code="LOCKED",
        ) from None
    except Exception as error:  # noqa: BLE001  every store has its own errors, whose texts may hold its address and password
        raise AuthorisationError(
            say(
                "The shared store (BI_MCP_SHARED_STORE) did not give or take the token of profile {profile!r} ({name}). Nothing was sent to the portal. Check that the store runs, then try again.",
                profile=profile,
                name=type(error).__name__,
            ),
            code="STORE_FAILED",
        ) from None
