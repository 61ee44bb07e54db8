"""A login in use: the current token of a profile or of a person, renewed by one process for all."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio import to_thread

from bi_mcp.auth.profiles import keep_member, move_profile
from bi_mcp.auth.session_login import PersonalLogin, login_of_profile, not_logged_in
from bi_mcp.auth.store import open_store
from bi_mcp.auth.token import Grant, find_new_address
from bi_mcp.errors import AuthorisationError, ConfigError
from bi_mcp.rest.credential import AccessToken, Credential, Webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bi_mcp.auth.profiles import Profile
    from bi_mcp.auth.session_login import Login
    from bi_mcp.auth.store import Stored, TokenStore
    from bi_mcp.auth.token import Application, Token
    from bi_mcp.base.secret import Secret

# The login of a person is worth nothing any more. A wrong secret of the application is the operator's to correct.
_ENDS = frozenset({"invalid_grant", "OTHER_USER", "OTHER_PORTAL", "NOT_LOGGED_IN"})
# Asking again cannot help until someone logs in, and the vendor blocks applications that ask too often.
_FINAL = frozenset({"invalid_grant", "invalid_client", "OTHER_USER", "OTHER_PORTAL"})
# So long the calls of a person who was signed out may go on with the token that this process holds.
LOOK_AGAIN_S = 30.0


class SessionStore(Protocol):
    """The part of a store that a session needs: see `auth.store.TokenStore`."""

    async def load(self, profile: str) -> Stored | None:
        """Return the stored secrets of a profile, None if there are none."""
        ...

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the stored secrets of a profile."""
        ...

    def lock(self, profile: str) -> AbstractAsyncContextManager[None]:
        """Lock a profile against changes by others."""
        ...


class Renewer(Protocol):
    """The part of `auth.client.OAuthClient` that a session needs."""

    async def refresh(self, application: Application, refresh_token: Secret) -> Token:
        """Return the next token."""
        ...


class TokenSession:
    """A source of credentials that renews its token when the stored expiry has passed or the portal said `expired_token`.

    One renewal per expiry: tasks of this process wait for each other, processes for the lock of the store, and those that
    waited take the token that the first one stored. The new token is stored before it is used.

    A process killed at any moment frees the lock. Killed before the request or after the store has the answer, it leaves a
    token that works. In between, after the portal has made the new token and before the file holds it, the login is lost:
    the portal has forgotten the old refresh token and sent the new one to a dead process. The old access token works on
    until it expires; then every process gets `AuthorisationError` `invalid_grant`, which says to log in again.
    A cancelled call does not leave that gap: a renewal that has begun is finished. Nor does a store that fails in between:
    what it did not take is saved at the next call.

    A renewal that names another address of the portal is followed: the login is told, and the credentials use it.
    Only the OAuth server can name one, and it holds the application's secret already.
    """

    def __init__(
        self, login: Login, store: SessionStore, client: Renewer, clock: Callable[[], float] = time.time
    ) -> None:
        self._login = login
        self._personal = login if isinstance(login, PersonalLogin) else None
        self._store = store
        self._client = client
        self._clock = clock
        self._member_id = login.member_id
        self._portal_url: str | None = None
        self._held: Grant | None = None
        self._looked_at = 0.0
        self._refused: tuple[Secret, AuthorisationError] | None = None
        # What the store did not take, and the refresh token that it was got for.
        self._unsaved: tuple[Secret, Grant] | None = None
        self._one_at_a_time = anyio.Lock()

    @property
    def user_id(self) -> int | None:
        """The portal's user who logged in, known after a call if the login named one."""
        return None if self._held is None else self._held.token.user_id

    async def current(self) -> AccessToken:
        """Return the token to call with. Raises `AuthorisationError` if there is none."""
        if self._held is None:
            async with self._ending():
                self._held = await self._load()
        elif self._personal is not None:
            await self._look_again()
        token = self._held.token
        return (
            await self._renew(token.access_token)
            if self._is_old(token)
            else AccessToken(token.access_token, self._portal_url)
        )

    async def _look_again(self) -> None:
        """Raise the error of a missing login where it was forgotten meanwhile, also by another replica. Looks now and then only."""
        now = self._clock()
        # The clock may be set back.
        if abs(now - self._looked_at) < LOOK_AGAIN_S:
            return
        self._looked_at = now
        try:
            stored = await self._store.load(self._login.name)
        except AuthorisationError:
            # The token works without the store.
            return
        if stored is None:
            self._looked_at = 0.0
            raise self._login.missing()

    async def renew(self, rejected: Credential) -> AccessToken | None:
        """Return a newer token after the portal called `rejected` expired."""
        return await self._renew(rejected.token) if isinstance(rejected, AccessToken) else None

    async def replaced(self, refused: Credential) -> AccessToken | None:
        """Return the token of a login that was made since, after the portal refused `refused`; None if there is none."""
        if not isinstance(refused, AccessToken):
            return None
        async with self._one_at_a_time:
            if self._held is None or self._held.token.access_token == refused.token:
                async with self._ending():
                    self._held = await self._load()
            if self._held.token.access_token == refused.token:
                return None
        return await self.current()

    async def _renew(self, old: Secret) -> AccessToken:
        async with self._one_at_a_time:
            before = self._held
            if before is None or not self._replaces(before, old):
                async with self._ending(), self._store.lock(self._login.name):
                    self._held = await self._load()
                    if not self._replaces(self._held, old):
                        await self._refresh(self._held)
                await self._follow(before or self._held, self._held)
                await self._identify(self._held.token.member_id)
            assert self._held is not None  # noqa: S101  it was held, or has just been loaded
            return AccessToken(self._held.token.access_token, self._portal_url)

    async def _follow(self, before: Grant, now: Grant) -> None:
        portal_url = find_new_address(before.token, now.token)
        if portal_url is None:
            return
        self._portal_url = portal_url
        try:
            await to_thread.run_sync(self._login.moved, portal_url)
        except ConfigError as error:
            # The calls go on; only the next process will ask at the old address first.
            logging.getLogger(__name__).warning("The profile was not moved to %s: %s", portal_url, error)

    async def _identify(self, member_id: str) -> None:
        """Store the portal's identity if an older version did not, once per process."""
        if not member_id or self._member_id:
            return
        self._member_id = member_id
        try:
            await to_thread.run_sync(self._login.identified, member_id)
        except ConfigError as error:
            logging.getLogger(__name__).warning("The profile's member_id was not kept: %s", error)

    async def _refresh(self, grant: Grant) -> None:
        refresh_token = grant.token.refresh_token
        if self._refused is not None and self._refused[0] == refresh_token:
            raise self._refused[1]
        with anyio.CancelScope(shield=True):
            # Proves that saving works before the portal forgets the old refresh token.
            await self._store.save(self._login.name, grant)
            if self._unsaved is None or self._unsaved[0] != refresh_token:
                self._unsaved = (refresh_token, await self._ask(grant))
            renewed = self._unsaved[1]
            # The portal has forgotten the old token by now, so this one must not be lost if the confirmation does not come.
            await self._store.save(self._login.name, renewed)
            self._unsaved = None
            if self._personal is not None:
                renewed = await self._confirm(self._personal, renewed)
                await self._store.save(self._login.name, renewed)
            self._held = renewed

    async def _ask(self, grant: Grant) -> Grant:
        """Get the grant that follows. A person's names nobody until the portal has said whose it is."""
        try:
            token = await self._client.refresh(grant.application, grant.token.refresh_token)
            if self._personal is not None:
                self._personal.check(token, grant.token)
        except AuthorisationError as error:
            if error.code in _FINAL:
                self._refused = (grant.token.refresh_token, error)
            raise
        if self._personal is None:
            return replace(grant, token=token)
        address = find_new_address(grant.token, token) or grant.portal_url
        return replace(grant, token=replace(token, user_id=None), portal_url=address)

    async def _confirm(self, personal: PersonalLogin, grant: Grant) -> Grant:
        """Let the portal say whose a token is, before anything else is asked with it. A token that names nobody was not confirmed."""
        token = grant.token
        try:
            await personal.confirm(AccessToken(token.access_token, grant.portal_url))
        except AuthorisationError as error:
            if error.code in _FINAL:
                self._refused = (token.refresh_token, error)
            raise
        return replace(grant, token=replace(token, user_id=personal.user_id))

    async def _load(self) -> Grant:
        self._looked_at = self._clock()
        stored = await self._store.load(self._login.name)
        if not isinstance(stored, Grant):
            raise self._login.missing()
        if self._personal is None:
            return stored
        try:
            self._personal.check(stored.token)
        except AuthorisationError as error:
            self._refused = (stored.token.refresh_token, error)
            raise
        self._portal_url = stored.portal_url
        if stored.token.user_id is None and not self._is_old(stored.token):
            stored = await self._confirm(self._personal, stored)
        return replace(stored, application=self._personal.application(stored.application))

    @asynccontextmanager
    async def _ending(self) -> AsyncIterator[None]:
        """Tell the end of a person's login, after the lock of the store was freed."""
        try:
            yield
        except AuthorisationError as error:
            if self._personal is not None and error.code in _ENDS and not await self._has_another():
                with anyio.CancelScope(shield=True):
                    await self._personal.ended()
            raise

    async def _has_another(self) -> bool:
        """Return whether the person has signed in again since the store was read."""
        stored = await self._store.load(self._login.name)
        if not isinstance(stored, Grant):
            return False
        return self._refused is None or stored.token.refresh_token != self._refused[0]

    def _replaces(self, grant: Grant, old: Secret) -> bool:
        return grant.token.access_token != old and not self._is_old(grant.token)

    def _is_old(self, token: Token) -> bool:
        return token.is_expired(self._clock())


class StoredWebhook:
    """The webhook of a profile. It never expires and may call only the `*.fields` methods."""

    user_id: int | None = None

    def __init__(self, profile: Profile, store: SessionStore) -> None:
        self._profile = profile
        self._store = store
        self._held: Webhook | None = None

    async def current(self) -> Webhook:
        """Return the webhook. Raises `AuthorisationError` if none is stored."""
        if self._held is None:
            stored: Stored | None = await self._store.load(self._profile.name)
            if not isinstance(stored, Webhook):
                raise not_logged_in(self._profile)
            self._held = stored
        return self._held

    async def renew(self, rejected: Credential) -> None:  # noqa: ARG002  the protocol's signature
        """Do nothing: a webhook cannot be renewed."""
        return

    async def replaced(self, refused: Credential) -> None:  # noqa: ARG002  the protocol's signature
        """Do nothing: the next process reads another one."""
        return


Session = TokenSession | StoredWebhook


def open_session(
    profile: Profile,
    folder: Path,
    *,
    share: Callable[[TokenStore], SessionStore] | None = None,
    clock: Callable[[], float] = time.time,
    moved: Callable[[str], object] | None = None,
) -> Session:
    """Return the source of credentials for a profile of the configuration folder.

    `share` puts another store before the folder's, for replicas of a server on several machines. `moved` is called with
    the new address of a portal that was renamed; without it, the profile is moved there.
    Does not ask a portal or a keyring yet.
    """
    # Imported here: httpx is not needed until a portal is called.
    from bi_mcp.auth.client import OAuthClient

    local = open_store(profile.keeper, folder)
    store = local if share is None else share(local)
    if profile.kind == "webhook":
        return StoredWebhook(profile, store)
    client = OAuthClient(login=profile.advise_login(), clock=clock)
    login = login_of_profile(
        profile,
        moved=moved or partial(move_profile, folder, profile.name),
        identified=partial(keep_member, folder, profile.name),
    )
    return TokenSession(login, store, client, clock)
