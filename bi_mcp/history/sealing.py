"""Encrypts what the history must keep and must not show. The key is in the system's keyring, or in a private file without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.keyring import system_keyring, unusable_keyring
from bi_mcp.vault.private_file import PrivateFile
from bi_mcp.vault.secret_values import FileValues, KeyringValues

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.fernet import Fernet

_NAME = "history"
_WITHOUT = text("Unlock it, or set BI_MCP_HISTORY=off and do without undo.")
_OR_WITHOUT = text("Or set BI_MCP_HISTORY=off and do without undo.")


@dataclass
class Sealer:
    """Seals and opens values with one key per folder. Raises `ConfigError` if the key cannot be read or a value cannot be opened."""

    folder: Path
    _key: Fernet | None = field(default=None, init=False, repr=False)

    def seal(self, value: Secret) -> str:
        """Seal a value to text that only the holder of the key can read. Makes the key where there is none."""
        return self._fernet().encrypt(value.reveal().encode(errors="surrogatepass")).decode()

    def open(self, sealed: str) -> Secret:
        """The value that was sealed."""
        from cryptography.fernet import InvalidToken

        try:
            return Secret(self._fernet().decrypt(sealed.encode()).decode(errors="surrogatepass"))
        except (InvalidToken, ValueError):
            raise ConfigError(
                say(
                    "A value in the history was sealed with another key, which no longer exists. Set the value again by hand."
                )
            ) from None

    def _fernet(self) -> Fernet:
        if self._key is None:
            # Imported here: start-up time counts, and most chats write nothing.
            from cryptography.fernet import Fernet

            self._key = Fernet(self._load_key().reveal())
        return self._key

    def _load_key(self) -> Secret:
        from cryptography.fernet import Fernet

        file = PrivateFile(
            self.folder / "key.json",
            say("Delete it; writes that were sealed with it can then no longer be undone."),
        )
        try:
            with file.lock():
                in_file = FileValues(file)
                # Asked first: it never waits for a person.
                if key := in_file.read(_NAME):
                    return Secret(key)
                place = self._keyring() or in_file
                if key := place.read(_NAME):
                    return Secret(key)
                made = Secret(Fernet.generate_key().decode())
                place.write(_NAME, made)
                return made
        except OSError as error:
            raise ConfigError(
                say(
                    "The key of the history cannot be kept in {folder} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder.",
                    folder=self.folder,
                    strerror=error.strerror,
                )
            ) from None

    def _keyring(self) -> KeyringValues | None:
        backend = system_keyring(partial(unusable_keyring, remedy=_OR_WITHOUT))
        if backend is None:
            return None
        return KeyringValues(backend, f"bi-mcp {self.folder}", text("the key of the"), _WITHOUT)
