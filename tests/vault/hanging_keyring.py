"""A system keyring that asks its person something and is never answered. Chosen by PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from keyring.backend import KeyringBackend


def _wait() -> None:
    """Leave a file, so that a test knows that the prompt is open."""
    Path(os.environ["HOME"], "prompt").touch()
    Event().wait()


class HangingKeyring(KeyringBackend):
    """Waits when it is asked for an entry."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002  the base's signature
        _wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class HangingDiscovery(HangingKeyring):
    """Waits while it is chosen, as one whose service does not answer."""

    @property
    def priority(self) -> float:  # type: ignore[override]  # keyring declares a number, and backends compute it
        _wait()
        return 5
