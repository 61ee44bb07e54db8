"""The reader of a history: the one to whom it is told, and who undoes changes in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bi_mcp.auth.caller import current_caller

if TYPE_CHECKING:
    from bi_mcp.auth.person import Person
    from bi_mcp.history.entries import Entry
    from bi_mcp.rest.models.portal import PortalUser


@dataclass(frozen=True)
class Reader:
    """The one who reads. `user` is the portal's user of the login, where that is known, `subject` how a foreign issuer
    names the caller, and `person` who signed in to this server.
    """

    user: int | None = None
    subject: str | None = None
    person: Person | None = None

    def wrote(self, entry: Entry) -> bool:
        """Return whether a change is the reader's own. Of people who signed in this is certain, otherwise as far as it is known."""
        if self.person is not None:
            # What a foreign issuer's caller did through the same login was another's act.
            return entry.user == self.person.user_id and entry.subject is None
        if entry.subject != self.subject:
            return False
        if self.user is not None and entry.user is not None:
            return entry.user == self.user
        # Only people who signed in are recorded with a name.
        return entry.user_name is None


async def as_of_now(reader: Reader, ask: Callable[[], Awaitable[PortalUser]]) -> Reader:
    """Return a reader as the portal knows them now; `ask` asks it. Who was an administrator at sign-in may be none any more,
    and a client stays connected for months. Raises the errors of `ask`, which is called for such a person only.
    """
    person = reader.person
    if person is None or not person.administrator:
        return reader
    user = await ask()
    still = user.admin and user.id == person.user_id
    return reader if still else replace(reader, person=replace(person, administrator=False))


def current_reader(user: Callable[[], int | None] = lambda: None) -> Reader:
    """Return who calls in this task. `user` gives the user of the login with which the portal is called."""
    caller = current_caller()
    if caller.person is not None:
        return Reader(caller.person.user_id, caller.subject, caller.person)
    return Reader(user(), caller.subject)
