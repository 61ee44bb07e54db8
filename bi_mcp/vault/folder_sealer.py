"""Encryption of what is kept and must not be shown. The key is in the system's keyring, or in a private file."""

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


@dataclass(frozen=True, kw_only=True)
class SealTexts:
    """Texts about one key, in the form in which they are translated. `name` is the key's own in a keyring and in its file.

    `replace` advises where the file of the key is damaged, `unlock` and `without` where a keyring does not answer or cannot be
    chosen; `foreign` says that a value was sealed with another key, `unwritable` that the key cannot be kept in `{folder}`
    (`{strerror}`).
    """

    name: str
    replace: str
    foreign: str
    unwritable: str
    unlock: str = ""
    without: str = ""


@dataclass
class FolderSealer:
    """Seals and opens values with one key per folder. Raises `ConfigError` if the key cannot be read or a value cannot be opened.

    `in_keyring`: the key is kept in the system's keyring where there is one, else always in the folder.
    """

    folder: Path
    texts: SealTexts
    in_keyring: bool = True
    _key: Fernet | None = field(default=None, init=False, repr=False)

    def seal(self, value: Secret) -> str:
        """Seal a value to text that only the holder of the key can read. Makes the key where there is none."""
        return self._fernet().encrypt(value.reveal().encode(errors="surrogatepass")).decode()

    def open(self, sealed: str) -> Secret:
        """Return the value that was sealed."""
        from cryptography.fernet import InvalidToken

        try:
            return Secret(self._fernet().decrypt(sealed.encode()).decode(errors="surrogatepass"))
        except (InvalidToken, ValueError):
            raise ConfigError(say(self.texts.foreign)) from None

    def reach(self) -> None:
        """Load the key, and make it where there is none. Raises `ConfigError` if it cannot be read."""
        self._fernet()

    def _fernet(self) -> Fernet:
        if self._key is None:
            # Imported here: start-up time counts, and most chats write nothing.
            from cryptography.fernet import Fernet

            self._key = Fernet(self._load_key().reveal())
        return self._key

    def _load_key(self) -> Secret:
        from cryptography.fernet import Fernet

        file = PrivateFile(self.folder / "key.json", say(self.texts.replace))
        name = self.texts.name
        try:
            with file.lock():
                in_file = FileValues(file)
                # Asked first: it never waits for a person.
                if key := in_file.read(name):
                    return Secret(key)
                place = self._keyring() or in_file
                if key := place.read(name):
                    return Secret(key)
                made = Secret(Fernet.generate_key().decode())
                place.write(name, made)
                return made
        except OSError as error:
            raise ConfigError(
                say(self.texts.unwritable, folder=self.folder, strerror=error.strerror)
            ) from None

    def _keyring(self) -> KeyringValues | None:
        if not self.in_keyring:
            return None
        backend = system_keyring(partial(unusable_keyring, remedy=self.texts.without))
        if backend is None:
            return None
        return KeyringValues(backend, f"bi-mcp {self.folder}", text("the key of the"), self.texts.unlock)
