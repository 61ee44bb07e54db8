"""The portals that people may sign in to, and what makes one usable. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bi_mcp.auth.portal_identity import portal_address
from bi_mcp.base.language import say
from bi_mcp.base.secret import hide_logins
from bi_mcp.base.web_address import LOOPBACK, split_address
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def read_address(url: str) -> str:
    """Normalise the address of a portal. What is no address, or holds a login, stays as it is, and `require_usable` refuses it."""
    try:
        return url if "@" in url else portal_address(url)
    except ValueError:
        return url


def require_usable(portal: SignInPortal) -> None:
    """Raise `ConfigError` for an address that is not a portal's: https, or http on this machine, a host, and nothing else."""
    parts = split_address(portal.url) or urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if (
        not safe
        or portal.url != f"{parts.scheme}://{parts.netloc}"
        or "@" in parts.netloc
        or not parts.hostname
    ):
        raise ConfigError(
            say(
                "A portal to sign in to is named by its address alone, with https and no path, such as https://acme.bitrix24.com, not {url!r}.",
                url=hide_logins(portal.url),
            )
        )
    if not portal.client_id or not portal.client_secret:
        raise ConfigError(
            say(
                "The application of {portal} is not known. Register one in the portal, and set its id and its secret.",
                portal=portal.host,
            )
        )


def require_distinct(portals: Sequence[SignInPortal]) -> None:
    """Raise `ConfigError` where two are on one host: a person could not tell them apart."""
    hosts = [portal.host for portal in portals]
    twice = sorted({host for host in hosts if hosts.count(host) > 1})
    if twice:
        raise ConfigError(
            say("{portals}: named twice. Keep one table for each portal.", portals=", ".join(twice))
        )
