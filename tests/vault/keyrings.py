"""A system keyring for tests. No test may touch the one of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Keyring(KeyringBackend):
    """A keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's own has no annotations
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked: entry-canary")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("locked: entry-canary")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


Trouble = Literal["raises", "exits", "no text"]


class BrokenKeyring(Keyring):
    """Raises at every question, also what is not meant to be caught, or answers something that is not text."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    def get_password(self, service: str, username: str) -> Any:  # noqa: ARG002  the base's signature
        return self._answer()

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002  the base's signature
        self._answer()

    def delete_password(self, service: str, username: str) -> None:  # noqa: ARG002  the base's signature
        self._answer()

    def _answer(self) -> Any:
        if self.trouble == "exits":
            raise SystemExit("entry-canary")
        if self.trouble == "raises":
            raise RuntimeError("entry-canary")
        return b"entry-canary"


class UnrankedKeyring(Keyring):
    """Raises when it is judged, before it is asked for anything.

    keyring tries every class of backends that it can make without arguments, so this one has an argument.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    @property
    def priority(self) -> float:  # type: ignore[override]  # keyring declares a number, and backends compute it
        raise self.error


@contextmanager
def system_keyring(backend: KeyringBackend) -> Iterator[None]:
    """Make it the system's keyring meanwhile."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
