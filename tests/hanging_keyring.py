"""A system keyring that asks its person something and is never answered. Chosen by PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from keyring.backend import KeyringBackend


class HangingKeyring(KeyringBackend):
    """Leaves a file, so that a test knows that its prompt is open."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002  the base's signature
        Path(os.environ["HOME"], "prompt").touch()
        Event().wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError
