"""Secrets that the user stored under a name, each bound to the hosts that it may be sent to.

The values are in the system's keyring, or in a private file if there is none. `secrets.json` in the configuration folder
lists the names, their hosts, and the fingerprints that recognise former values; it does not hold values.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError
from bi_mcp.vault.fingerprints import KEY_NAME, FingerprintKey, make_key
from bi_mcp.vault.keyring import best_keeper, system_keyring
from bi_mcp.vault.private_file import PrivateFile
from bi_mcp.vault.secret_index import NamedSecret, SecretIndex, advise_store, is_name, parse_index
from bi_mcp.vault.secret_values import FileValues, KeyringValues

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from bi_mcp.vault.keyring import Keeper

MAX_VALUE_BYTES = 64 * 1024

_REMEDY = advise(AdviceKind.STORE_ALL_AGAIN)


@dataclass(frozen=True)
class NamedSecrets:
    """The stored secrets of a configuration folder. Every method may wait for a keyring that prompts its user.

    `keeper` is where new values are kept if the caller does not say; None means in the keyring if there is one.
    Raises `ConfigError` for data that cannot be read or kept; its texts do not hold values.
    """

    folder: Path
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    keeper: Keeper | None = None

    def known(self) -> dict[str, NamedSecret]:
        """Return every stored secret by its name, without its value."""
        return self.index().known

    def index(self) -> SecretIndex:
        """Read the index of every stored secret, with the fingerprints of former values."""
        return self._index.load(parse_index)

    def recognises_any(self) -> bool:
        """Check whether there is a value to be recognised, present or former."""
        index = self.index()
        return bool(index.known or index.former)

    def value(self, secret: NamedSecret) -> Secret:
        """Read the value of a known secret."""
        value = self._values(secret.keeper).read(secret.name)
        if not value:
            raise ConfigError(
                say(
                    "The value of the secret {name} is no longer where it was kept ({keeper}).",
                    name=secret.name,
                    keeper=secret.keeper,
                ),
                advise_store(AdviceKind.STORE_UNDER_NAME, secret.name, secret.hosts),
            )
        if self.known().get(secret.name) != secret:
            # The value just read may be the new one, while the caller has judged the old binding.
            raise ConfigError(
                say("The secret {name} was changed at this very moment. Try again.", name=secret.name)
            )
        return Secret(value)

    def store(self, name: str, value: Secret, hosts: Sequence[str], keeper: Keeper | None = None) -> None:
        """Keep a value for the hosts (as `destination` writes them), in place of a former one of that name."""
        check_secret_name(name)
        _check_value(value)
        if not hosts:
            raise ConfigError(
                say("A secret is stored for the hosts that it may be sent to. Name one with --for.")
            )
        keeper = keeper or self.keeper or best_keeper()
        with self._changing() as index:
            # Before anything changes: a keyring may refuse.
            key = self.key(keeper) or self._new_key(keeper)
            self._replace_value(index, name, value, keeper)
            index.known[name] = NamedSecret(
                name=name,
                hosts=tuple(dict.fromkeys(hosts)),
                keeper=keeper,
                set_at=self._moment(),
                fingerprint=key.fingerprint(value),
            )
            # A value that is stored again has the new binding alone.
            index.forget(self._fingerprints(index, value))
            self._write(index)

    def remove(self, name: str) -> None:
        """Forget a secret and its value. Its fingerprint is remembered: sources of a portal may still hold the value."""
        with self._changing() as index:
            if name not in index.known:
                stored = ", ".join(index.known) or "none"
                raise ConfigError(
                    say(
                        "No secret is stored under that name. Stored: {stored}. Check the name.",
                        stored=stored,
                    )
                )
            keeper = index.known[name].keeper
            self._retire(index, name)
            self._values(keeper).remove(name)

    def forget_former(self, names: Collection[str]) -> None:
        """Forget the former values of these secrets: sources that hold one are no longer bound to its hosts."""
        for name in names:
            check_secret_name(name)
        with self._changing() as index:
            remembered = dict.fromkeys(secret.name for secret in index.former)
            if unknown := [name for name in names if name not in remembered]:
                raise ConfigError(
                    say(
                        "No former value of {names} is remembered. Choose from: {remembered}.",
                        names=", ".join(unknown),
                        remembered=", ".join(remembered) or "none",
                    )
                )
            index.forget({secret.fingerprint for secret in index.former if secret.name in names})
            self._write(index)

    def key(self, keeper: Keeper) -> FingerprintKey | None:
        """Read the key of the fingerprints of a keeper's values, None if there is none."""
        kept = self._values(keeper).read(KEY_NAME)
        return FingerprintKey(Secret(kept)) if kept else None

    def _new_key(self, keeper: Keeper) -> FingerprintKey:
        key = make_key()
        self._values(keeper).write(KEY_NAME, key.kept)
        return key

    def _replace_value(self, index: SecretIndex, name: str, value: Secret, keeper: Keeper) -> None:
        """Write a value while its name is gone: a process killed meanwhile does not leave a value bound to old hosts.

        If the disk is full or a keyring refuses it, the former secret stays, provided its value certainly does.
        """
        kept, before = index.as_json(), index.known.get(name)
        former = None if before is None else self._values(before.keeper).read(name)
        self._retire(index, name)
        try:
            self._values(keeper).write(name, value)
        except (ConfigError, OSError):
            if before is not None and former and self._values(before.keeper).read(name) == former:
                self._index.write(kept)
            raise
        if before is not None and before.keeper != keeper:
            self._values(before.keeper).remove(name)

    def _retire(self, index: SecretIndex, name: str) -> None:
        before = index.known.get(name)
        if before is not None:
            index.retire(name, before.fingerprint or self._fingerprint(before), self._moment())
            self._write(index)

    def _fingerprint(self, secret: NamedSecret) -> str:
        """Make the fingerprint that an older version did not make; empty for a value that can no longer be read."""
        try:
            value = self._values(secret.keeper).read(secret.name)
            key = self.key(secret.keeper) or self._new_key(secret.keeper)
        except ConfigError:
            return ""
        return key.fingerprint(Secret(value)) if value else ""

    def _fingerprints(self, index: SecretIndex, value: Secret) -> set[str]:
        """Make the fingerprints of a value with each key that can be read."""
        found = set[str]()
        for keeper in {secret.keeper for secret in index.former}:
            try:
                key = self.key(keeper)
            except ConfigError:
                continue
            if key is not None:
                found.add(key.fingerprint(value))
        return found

    def _moment(self) -> str:
        return self.now().replace(microsecond=0).isoformat()

    @contextmanager
    def _changing(self) -> Iterator[SecretIndex]:
        try:
            with self._index.lock():
                yield self.index()
        except OSError as error:
            raise ConfigError(
                say(
                    "The secrets cannot be saved in {folder} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder.",
                    folder=self.folder,
                    strerror=error.strerror,
                )
            ) from None

    def _write(self, index: SecretIndex) -> None:
        self._index.write(index.as_json())

    def _values(self, keeper: Keeper) -> FileValues | KeyringValues:
        if keeper == "file":
            return FileValues(PrivateFile(self.folder / "secret-values.json", _REMEDY))
        backend = system_keyring()
        if backend is None:
            raise ConfigError(
                say(
                    "The value is in the system keyring, which this process cannot reach (a service or a container often has none)."
                ),
                advise(AdviceKind.STORE_IN_FILE),
            )
        return KeyringValues(backend, f"bi-mcp secrets {self.folder}")

    @property
    def _index(self) -> PrivateFile:
        return PrivateFile(self.folder / "secrets.json", _REMEDY)


def check_secret_name(name: str) -> None:
    """Raise `ConfigError` for an impossible name of a secret; the text does not repeat it, since it may be the secret."""
    if not is_name(name):
        raise ConfigError(
            say(
                "A secret's name begins with a small letter or a digit and holds only a-z, 0-9, - and _ (at most 63)."
            )
        )


def _check_value(value: Secret) -> None:
    text = value.reveal()
    if not text:
        raise ConfigError(say("The value is empty. Nothing was stored; enter it again."))
    if len(text.encode(errors="surrogatepass")) > MAX_VALUE_BYTES or "\0" in text:
        raise ConfigError(
            say(
                "The value is not text or is larger than {max_value_bytes} bytes. Nothing was stored; check what was entered.",
                max_value_bytes=MAX_VALUE_BYTES,
            )
        )
