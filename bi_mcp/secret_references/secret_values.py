"""Where the values of secrets are kept under their names: in one private file, or in the system's keyring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bi_mcp.errors import ConfigError
from bi_mcp.language import say, text
from bi_mcp.private_file import PrivateFile
from bi_mcp.secret import Secret
from bi_mcp.system_keyring import ask_keyring

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
        return self._told(name, lambda: self.backend.get_password(self.service, name))

    def write(self, name: str, value: Secret) -> None:
        self._told(name, lambda: self.backend.set_password(self.service, name, value.reveal()))

    def remove(self, name: str) -> None:
        if self.read(name) is not None:
            self._told(name, lambda: self.backend.delete_password(self.service, name))

    def _told(self, name: str, ask: Callable[[], str | None]) -> str | None:
        return ask_keyring(
            ask,
            lambda reason: ConfigError(
                say(
                    "The system keyring did not give or take {what} {name} ({reason}). {remedy}",
                    what=say(self.what),
                    name=name,
                    reason=reason,
                    remedy=say(self.remedy),
                )
            ),
        )
