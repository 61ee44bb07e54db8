"""A person: a user of a portal who signed in to this server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

_MARK_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of a portal who signed in. `portal` is the portal's address, `https://HOST`, as the operator configured it.

    `name` is the portal's, for people to read; it identifies nobody. `administrator` is what the portal said at sign-in.
    """

    portal: str
    user_id: int
    name: str = ""
    administrator: bool = False

    @cached_property
    def mark(self) -> str:
        """The same person's mark in stores, in names of files and in seals: hexadecimal, without a name in it."""
        return sha256(f"{self.portal} {self.user_id}".encode()).hexdigest()[:_MARK_DIGITS]
