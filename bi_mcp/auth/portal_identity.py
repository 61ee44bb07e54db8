"""Identity of a portal, which decides on the history and the state file that are its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from bi_mcp.auth.profiles import Profiles

_DEFAULT_PORTS = {"https": 443, "http": 80}
_MEMBER_DIGITS = 16


@dataclass(frozen=True)
class PortalIdentity:
    """Identity of a portal. `address` is scheme, host, port and path; `member` is the mark of its member_id, empty if no
    login named one.

    `profiles` are the names of its logins, and `alone` says that no login is of another portal on its host: older versions
    recorded the host and the login's name only.
    """

    address: str
    member: str = ""
    profiles: frozenset[str] = frozenset()
    alone: bool = True

    @property
    def host(self) -> str:
        """The name by which older versions knew the portal."""
        return urlsplit(self.address).hostname or self.address

    @property
    def plain(self) -> bool:
        """True for an ordinary address, as nearly all portals have: https, the usual port, no path."""
        return self.address in {self.host, f"https://{self.host}"}

    @property
    def file_name(self) -> str:
        """Part of the names of its files, different for each address."""
        if self.plain:
            return file_name_of_host(self.host)
        return quote(self.address.replace("://", "_").replace(":", "_"), safe="")

    @property
    def has_host_file(self) -> bool:
        """True if files that an older version named after the host alone certainly belong to this portal."""
        return self.alone and (self.plain or bool(self.profiles))

    @property
    def lock_names(self) -> tuple[str, ...]:
        """Names of the locks against others on the same portal: by its address, and by its member_id if that is known."""
        return (self.file_name, f"member-{self.member}") if self.member else (self.file_name,)

    def owns(self, address: str, member: str) -> bool:
        """Check whether a record with this address is of this portal. A renamed portal keeps its member_id."""
        if self.member and member:
            return self.member == member
        return self.address == address

    def owns_entry(self, profile: str, address: str | None, member: str | None) -> bool:
        """Judge an entry of the history. Older ones name the login only."""
        if address is not None:
            return self.owns(address, member or "")
        return profile in self.profiles or (self.plain and self.alone)


def identify_portal(portal_url: str, profiles: Profiles) -> PortalIdentity:
    """Return the identity of the portal at an address, as far as its logins know it."""
    address = portal_address(portal_url)
    addresses = {name: portal_address(profile.portal_url) for name, profile in profiles.by_name.items()}
    names = frozenset(name for name, known in addresses.items() if known == address)
    logins = [profiles.by_name[name] for name in names]
    members = {member_mark(login.oauth_server, login.member_id) for login in logins} - {""}
    host = urlsplit(address).hostname
    return PortalIdentity(
        address,
        # If two logins disagree, the address went from one portal to another: neither is sure.
        member=members.pop() if len(members) == 1 else "",
        profiles=names,
        alone=all(known == address or urlsplit(known).hostname != host for known in addresses.values()),
    )


def portal_address(portal_url: str) -> str:
    """Normalise an address: `https://Portal.Example:443/rest/` -> `https://portal.example`. Drops a login in it."""
    parts = urlsplit(portal_url if "://" in portal_url else f"https://{portal_url}")
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    try:
        port = parts.port
    except ValueError:
        # The client refuses it before anything is sent.
        port = None
    usual = port in {None, _DEFAULT_PORTS.get(parts.scheme)}
    path = parts.path.rstrip("/").removesuffix("/rest")
    return f"{parts.scheme}://{host}{'' if usual else f':{port}'}{path}"


def member_mark(oauth_server: str, member_id: str) -> str:
    """Return the mark of a member_id as an OAuth server said it, empty for none.

    Without the server, a portal with a server of its own could pass itself off as another one, and an undo would send the
    values that the other one held.
    """
    if not member_id:
        return ""
    return sha256(f"{oauth_server} {member_id}".encode(errors="surrogatepass")).hexdigest()[:_MEMBER_DIGITS]


def file_name_of_host(host: str) -> str:
    """Return the file name that older versions used for a portal."""
    return "".join(sign if sign.isalnum() or sign in ".-" else "_" for sign in host)
