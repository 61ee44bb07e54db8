"""The portals that people may sign in to. Data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret


@dataclass(frozen=True, kw_only=True)
class SignInPortal:
    """A portal and the application that the operator registered there. `url` is `https://HOST`, `title` is for people.

    With `users` or `departments` only these may sign in, by their ids in the portal; with neither everybody who can log in there.
    """

    url: str
    client_id: str
    client_secret: Secret
    title: str = ""
    users: frozenset[int] = frozenset()
    departments: frozenset[int] = frozenset()

    @property
    def host(self) -> str:
        """Host and port, by which pages, logs and metrics name the portal."""
        return urlsplit(self.url).netloc

    @property
    def shown_title(self) -> str:
        """The title, or the host without one."""
        return self.title or self.host
