"""The portal logins of people: each person's own tokens of the portal, renewed once for all replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from bi_mcp.app.sign_in.documents import Documents
    from bi_mcp.auth.person import Person
    from bi_mcp.auth.store import Stored
    from bi_mcp.auth.token import Grant


class PortalLogins:
    """A `SessionStore`, as `auth.session` uses it: a login is named by its person's mark."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def keep(self, person: Person, grant: Grant) -> None:
        """Keep the login of a person, in place of an earlier one."""
        raise NotImplementedError

    async def forget(self, person: Person) -> None:
        """Forget the login of a person."""
        raise NotImplementedError

    async def load(self, profile: str) -> Stored | None:
        """Return the login of a mark, None if there is none."""
        raise NotImplementedError

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the login of a mark, as a renewal does. One that was forgotten meanwhile stays forgotten."""
        raise NotImplementedError

    def lock(self, profile: str) -> AbstractAsyncContextManager[None]:
        """Hold a login against renewals by others."""
        raise NotImplementedError
