"""Addresses that a client may have its answers sent to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bi_mcp.server.http.options import is_loopback

LONGEST_ADDRESS = 2000

# Schemes that browsers, systems and mail programs act on themselves, so that no program receives an answer.
_NEVER = re.compile(
    "about|blob|chrome|data|file|filesystem|ftp|http|https|intent|jar|javascript|mailto|ms-msdt|resource|search-ms|smb|sms|ssh|tel|vbscript|view-source|ws|wss"
)
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9+.-]*://?[!-~]+", re.IGNORECASE)
_SEEN = re.compile(r"[!-~]+")


def is_redirect_address(address: str) -> bool:
    """Check for https, http on this machine, or a scheme of a program's own (RFC 8252), without fragment and user."""
    if len(address) > LONGEST_ADDRESS or not _SEEN.fullmatch(address) or "#" in address or "\\" in address:
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme == "http":
        return host is not None and is_loopback(host)
    return not _NEVER.fullmatch(parts.scheme) and _PRIVATE_USE.fullmatch(address) is not None
