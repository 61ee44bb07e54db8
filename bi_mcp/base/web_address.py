"""Addresses on the web, as they are read before anything is known of them. Pure."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

# The names of this machine, as `urlsplit` gives them.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def split_address(address: str) -> SplitResult | None:
    """Split an address, whose port can then be read. None for what cannot be split."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # fails only when it is read
    except ValueError:
        return None
    return parts
