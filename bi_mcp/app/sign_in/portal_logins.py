"""The portal logins of people: each person's own tokens of the portal, renewed once for all replicas."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bi_mcp.auth.store import stored_from_json, stored_to_json
from bi_mcp.auth.token import Grant
from bi_mcp.base.language import say
from bi_mcp.errors import AuthorisationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bi_mcp.app.sign_in.documents import Document, Documents
    from bi_mcp.auth.person import Person
    from bi_mcp.auth.store import Stored
    from bi_mcp.base.secret import Secret

# So long a refresh token of the portal lives without being used; each renewal counts from the beginning.
LIFETIME_S = 180 * 24 * 3600
# Until the person's first client has used its code, which some never do.
UNUSED_LIFETIME_S = 10 * 60
# Of two sign-ins at once, the one that exchanged its code first may be kept last.
_OVERTAKEN_S = 60.0
# Of a login that expires much later than a new one the clock was wrong.
_HELD_UP_S = 24 * 3600.0
_LOGINS = "logins/"


class PortalLogins:
    """A `SessionStore`, as `auth.session` uses it: a login is named by its person's mark."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        # What renewals under way began with, by the marks that are locked here.
        self._begun_with: dict[str, Secret | None] = {}

    async def keep(
        self, person: Person, grant: Grant, *, is_used: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        """Keep the login of a person, in place of an earlier one. Of two sign-ins at once the newer one is kept.

        Where `is_used` answers no, it ends after ten minutes, unless `stay` is called. It is asked while nobody can change the login.
        """
        async with self.lock(person.mark):
            lasts = is_used is None or await is_used()
            kept = await self._load(person.mark)
            if not _expires_later(kept, grant, _OVERTAKEN_S):
                lifetime_s = LIFETIME_S if lasts else UNUSED_LIFETIME_S
                await self._documents.put(_LOGINS + person.mark, stored_to_json(grant), lifetime_s=lifetime_s)

    async def stay(self, person: Person) -> None:
        """Keep the login of a person who has a client now, if there is one, for as long as it is used."""
        async with self.lock(person.mark):
            await self._documents.change(
                _LOGINS + person.mark, lambda document: document, lifetime_s=LIFETIME_S
            )

    async def forget(self, person: Person, *, unless: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Forget the login of a person. `unless` is asked while nobody can keep a new one."""
        async with self.lock(person.mark):
            if unless is None or not await unless():
                await self._documents.delete(_LOGINS + person.mark)

    async def forget_all(self) -> None:
        """Forget the logins of everybody."""
        for name in await self._documents.names(_LOGINS):
            await self._documents.delete(name)

    async def load(self, profile: str) -> Stored | None:
        """Return the login of a mark, None if there is none."""
        return await self._load(profile)

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the login of a mark, as a renewal does, which saves what it begins with first. One that was forgotten meanwhile stays forgotten.

        Raises `AuthorisationError` `LOCKED` where a newer one was saved: a replica that stood still lost its lock to another.
        """
        held_up = False

        def replace(document: Document) -> Document | None:
            nonlocal held_up
            kept = _parse(document)
            # What replaces the very login it was made from is newer, whatever became of the clock in between.
            follows = isinstance(kept, Grant) and kept.token.refresh_token == self._begun_with.get(profile)
            held_up = not follows and _expires_later(kept, stored, _HELD_UP_S)
            return None if held_up else stored_to_json(stored)

        await self._documents.change(_LOGINS + profile, replace, lifetime_s=LIFETIME_S)
        if held_up:
            raise AuthorisationError(
                say(
                    "This server was held up while it renewed the login of a person, and another replica renewed it meanwhile. Nothing was saved. Try again."
                ),
                code="LOCKED",
            )
        if profile in self._begun_with and isinstance(stored, Grant):
            self._begun_with[profile] = self._begun_with[profile] or stored.token.refresh_token

    @asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Hold a login against renewals by others."""
        async with self._documents.lock(_LOGINS + profile):
            self._begun_with[profile] = None
            try:
                yield
            finally:
                self._begun_with.pop(profile, None)

    async def _load(self, mark: str) -> Stored | None:
        document = await self._documents.get(_LOGINS + mark)
        return None if document is None else _parse(document)


def _parse(document: Document) -> Stored | None:
    """Read a login. One that is damaged counts as none: its person signs in again."""
    try:
        return stored_from_json(document)
    except ValueError:
        return None


def _expires_later(kept: Stored | None, new: Stored, most: float) -> bool:
    """Tell whether a login of the same application is newer than one that would replace it, by seconds up to `most`."""
    if not isinstance(kept, Grant) or not isinstance(new, Grant):
        return False
    same = kept.application.client_id == new.application.client_id
    return same and 0 < kept.token.expires_at - new.token.expires_at < most
