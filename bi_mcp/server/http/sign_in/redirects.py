"""Pure: where a client may have its answers sent to."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote_plus, urlencode, urlsplit

from bi_mcp.base.web_address import split_address

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 2048
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_VISIBLE = re.compile(r"[!-\[\]^_a-z~]+")  # ASCII without spaces, backslashes, backquotes and braces
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,62}")
# Schemes that browsers or systems give a meaning of their own: some run what they carry, none belongs to one client.
# fmt: off
_FOREIGN_SCHEMES = frozenset(
    {
        "about", "acrobat", "android-app", "app-prefs", "appinstaller", "apt", "blob", "callto",
        "chrome", "chrome-extension", "cid", "content", "data", "dav", "dict", "dns", "edge",
        "facetime", "feed", "file", "filesystem", "firefox", "ftp", "ftps", "geo", "git",
        "git+ssh", "googlechrome", "gopher", "help", "http", "https", "imap", "intent", "irc",
        "itms", "itms-apps", "itms-services", "jar", "javascript", "jnlp", "ldap", "ldaps",
        "livescript", "magnet", "mailto", "maps", "market", "mhtml", "microsoft-edge", "mid",
        "mk", "mocha", "moz-extension", "nfs", "nntp", "onenote", "opera", "pop", "prefs", "res",
        "resource", "rtsp", "search", "search-ms", "sftp", "shell", "shortcuts", "sip", "skype",
        "smb", "sms", "ssh", "ssh+git", "steam", "svn", "tel", "telnet", "tftp", "urn",
        "vbscript", "view-source", "vnc", "webcal", "windowsdefender", "workflow", "ws", "wss",
        "wyciwyg", "x-man-page", "xmpp",
    }
)
# fmt: on


_ANSWERED = ("code", "state", "iss", "error", "error_description", "error_uri")


class Kind(Enum):
    """Where an address leads: to a web site, to a program on the person's computer, to the program of a scheme."""

    WEB = "web"
    LOOPBACK = "loopback"
    PRIVATE = "private"


def kind_of(address: str) -> Kind | None:
    """Return where an address leads, None for one that no client may use.

    Allowed are https, http on loopback, and private schemes such as `cursor://` (RFC 8252), without login and fragment.
    """
    parts = _split(address)
    if parts is None or "#" in address or "@" in parts.netloc:
        return None
    if parts.scheme not in ("http", "https"):
        foreign = parts.scheme in _FOREIGN_SCHEMES or parts.scheme.startswith(("ms-", "x-apple"))
        return Kind.PRIVATE if _PRIVATE_SCHEME.fullmatch(parts.scheme) and not foreign else None
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        return None
    if parts.scheme == "https":
        return Kind.WEB
    return Kind.LOOPBACK if authority["host"].lower() in _LOOPBACK else None


def find_registered(asked: str, registered: Iterable[str]) -> str | None:
    """Return the registered address that an asked one agrees with: letter by letter, and on loopback with any port."""
    if kind_of(asked) is None:
        return None
    return next((address for address in registered if _agree(asked, address)), None)


def destination_of(address: str) -> str:
    """Name the destination of an address: its host with the port, of a private scheme the scheme."""
    parts = urlsplit(address)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def with_parameters(address: str, **parameters: str | None) -> str:
    """Add parameters to an address, which may have some of its own. None are left out.

    Its own ones with these names are dropped: of two a client could take either.
    """
    base, _, query = address.partition("?")
    own = [
        part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in _ANSWERED
    ]
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{base}?{'&'.join([*own, added])}"


def _agree(asked: str, registered: str) -> bool:
    if asked == registered:
        return True
    if kind_of(asked) is not Kind.LOOPBACK or kind_of(registered) is not Kind.LOOPBACK:
        return False
    return _without_port(asked) == _without_port(registered)


def _without_port(address: str) -> tuple[str, str]:
    """Return the host of a loopback address, and all that follows its port as it was written.

    No path is the path `/` (RFC 3986, 6.2.3): programs register one and ask with the other.
    """
    _, _, rest = address.partition("://")
    authority = urlsplit(address).netloc
    found = _AUTHORITY.fullmatch(authority)
    path = rest[len(authority) :]
    return (found["host"].lower() if found else "", path if path.startswith("/") else f"/{path}")


def _split(address: str) -> SplitResult | None:
    if len(address) > LONGEST or not _VISIBLE.fullmatch(address):
        return None
    return split_address(address)
