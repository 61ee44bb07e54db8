"""Stores for the values of secrets, under their names: one private file, or the system's keyring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.keyring import ask_for_text, ask_keyring
from bi_mcp.vault.private_file import PrivateFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend


@dataclass(frozen=True)
class FileValues:
    """All values in one private file. It changes only under the lock of the index."""

    file: PrivateFile

    def read(self, name: str) -> str | None:
        value = (self.file.read() or {}).get(name)
        return value if isinstance(value, str) else None

    def write(self, name: str, value: Secret) -> None:
        self.file.recover()
        self.file.write({**(self.file.read() or {}), name: value.reveal()})

    def remove(self, name: str) -> None:
        self.file.recover()
        left = {kept: value for kept, value in (self.file.read() or {}).items() if kept != name}
        self.file.write(left)


@dataclass(frozen=True)
class KeyringValues:
    """One entry of the system's keyring for each value."""

    backend: KeyringBackend
    service: str
    what: str = text("the secret")
    remedy: str = text("Unlock it, or store the secret with `--keep-in file`.")

    def read(self, name: str) -> str | None:
        return ask_for_text(lambda: self.backend.get_password(self.service, name), self._refusal(name))

    def write(self, name: str, value: Secret) -> None:
        ask_keyring(
            lambda: self.backend.set_password(self.service, name, value.reveal()), self._refusal(name)
        )

    def remove(self, name: str) -> None:
        if self.read(name) is not None:
            ask_keyring(lambda: self.backend.delete_password(self.service, name), self._refusal(name))

    def _refusal(self, name: str) -> Callable[[str], ConfigError]:
        return lambda reason: ConfigError(
            say(
                "The system keyring did not return or accept {what} {name} ({reason}). {remedy}",
                what=say(self.what),
                name=name,
                reason=reason,
                remedy=say(self.remedy),
            )
        )
