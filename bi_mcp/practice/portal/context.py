"""Context that the method groups share: one portal's storage, clock and ways out, and one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bi_mcp.config import Generation
from bi_mcp.practice.portal.database import Database
from bi_mcp.practice.portal.records import Reach
from bi_mcp.practice.portal.users import PortalUser

UrlCheck = Callable[[str, Mapping[str, str]], Awaitable[bool]]


@dataclass(frozen=True)
class Context:
    """Parts of a portal. `url_check(url, connection)` calls a connector; `sync_fails(method)` orders a failed sync."""

    database: Database
    generation: Generation
    clock: Callable[[], float]
    url_check: UrlCheck
    sync_fails: Callable[[str], bool]

    def now(self) -> str:
        """Return the portal's time, `Y-m-d H:i:s`, in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Call:
    """One call that may run; `application` owns what it creates."""

    method: str
    parameters: Mapping[str, object]
    application: str
    user: PortalUser
    scopes: frozenset[str]

    @property
    def user_id(self) -> int:
        """The id of the user who calls."""
        return self.user.id

    @property
    def reach(self) -> Reach:
        """What the call gets to see."""
        return reach_of(self.user, self.application)


def reach_of(user: PortalUser, application: str) -> Reach:
    """What a user gets to see through an application."""
    sees_all = user.sees_all or user.administrator
    return Reach(application, None if sees_all else user.id)


Handler = Callable[[Call], Awaitable[object]]
