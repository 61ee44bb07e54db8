"""Secrets that the user stored under a name, each bound to the hosts that it may be sent to.

The values are in the system's keyring, or in a private file where there is none. `secrets.json` in the configuration folder
says which names there are and for which hosts; it holds no value.
"""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bi_mcp.errors import ConfigError
from bi_mcp.language import say, text
from bi_mcp.private_file import PrivateFile
from bi_mcp.profiles import KEEPERS
from bi_mcp.secret import Secret
from bi_mcp.secret_references.secret_values import FileValues, KeyringValues
from bi_mcp.system_keyring import best_keeper, system_keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bi_mcp.profiles import Keeper

MAX_VALUE_BYTES = 64 * 1024

_VERSION = 1
# Small letters only, as with profiles: `Shop` and `shop` would be taken for the same secret.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_REMEDY = text("Delete it and store the secrets again with `bi-mcp secret set`.")


@dataclass(frozen=True, kw_only=True)
class NamedSecret:
    """What is known of a stored secret without its value. `hosts` are as `destination` writes them, `set_at` is UTC, ISO 8601."""

    name: str
    hosts: tuple[str, ...]
    keeper: Keeper
    set_at: str

    def may_go_to(self, host: str) -> bool:
        """Whether the user bound it to this destination."""
        return host in self.hosts

    def command_for(self, *hosts: str) -> str:
        """What the user types to let it go to these hosts as well."""
        return set_command(self.name, *dict.fromkeys((*self.hosts, *hosts)))


@dataclass(frozen=True)
class NamedSecrets:
    """The stored secrets of a configuration folder. Every method may wait for a keyring that asks its person something.

    Raises `ConfigError` for what cannot be read or kept; no text holds a value.
    """

    folder: Path
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def known(self) -> dict[str, NamedSecret]:
        """Every stored secret by its name, without its value."""
        document = self._index.read() or {}
        if document.get("version", _VERSION) != _VERSION:
            raise ConfigError(
                say(
                    "The secrets in {folder} were stored by a newer bi-mcp. Use that one.", folder=self.folder
                )
            )
        try:
            kept = document.get("secrets", {})
            return {name: _parse(name, entry) for name, entry in sorted(kept.items())}
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ConfigError(
                say("secrets.json in {folder} is damaged. {remedy}", folder=self.folder, remedy=say(_REMEDY))
            ) from None

    def value(self, secret: NamedSecret) -> Secret:
        """Read the value of a known secret."""
        value = self._values(secret.keeper).read(secret.name)
        if not value:
            raise ConfigError(
                say(
                    "The value of the secret {name} is no longer where it was kept ({keeper}). The user stores it again with `{secret}`.",
                    name=secret.name,
                    keeper=secret.keeper,
                    secret=secret.command_for(),
                )
            )
        if self.known().get(secret.name) != secret:
            # What was read may be the new value, and what the caller has judged is the old binding.
            raise ConfigError(
                say("The secret {name} was changed at this very moment. Call again.", name=secret.name)
            )
        return Secret(value)

    def store(self, name: str, value: Secret, hosts: Sequence[str], keeper: Keeper | None = None) -> None:
        """Keep a value for the hosts (as `destination` writes them), in place of what had that name."""
        check_name(name)
        _check_value(value)
        if not hosts:
            raise ConfigError(
                say("A secret is stored for the hosts that it may be sent to. Name one with --for.")
            )
        keeper = keeper or best_keeper()
        set_at = self.now().replace(microsecond=0).isoformat()
        with self._changing() as known:
            # The name is gone while the value changes: a process killed in between leaves no value bound to old hosts.
            self._forget(known, name)
            self._values(keeper).write(name, value)
            known[name] = NamedSecret(
                name=name, hosts=tuple(dict.fromkeys(hosts)), keeper=keeper, set_at=set_at
            )
            self._write(known)

    def remove(self, name: str) -> None:
        """Forget a secret and its value."""
        with self._changing() as known:
            if name not in known:
                stored = ", ".join(known) or "none"
                raise ConfigError(
                    say(
                        "No secret is stored under that name. Stored: {stored}. Check the name.",
                        stored=stored,
                    )
                )
            self._forget(known, name)

    def _forget(self, known: dict[str, NamedSecret], name: str) -> None:
        before = known.pop(name, None)
        if before is not None:
            self._write(known)
            self._values(before.keeper).remove(name)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, NamedSecret]]:
        try:
            with self._index.locked():
                yield self.known()
        except OSError as error:
            raise ConfigError(
                say(
                    "The secrets cannot be kept in {folder} ({strerror}). Make the folder writable, or set BI_MCP_CONFIG_DIR to one that is.",
                    folder=self.folder,
                    strerror=error.strerror,
                )
            ) from None

    def _write(self, known: Mapping[str, NamedSecret]) -> None:
        entries = {
            name: {"for": secret.hosts, "kept_in": secret.keeper, "set": secret.set_at}
            for name, secret in known.items()
        }
        self._index.write({"version": _VERSION, "secrets": entries})

    def _values(self, keeper: Keeper) -> FileValues | KeyringValues:
        if keeper == "file":
            return FileValues(PrivateFile(self.folder / "secret-values.json", _REMEDY))
        backend = system_keyring()
        if backend is None:
            raise ConfigError(
                say(
                    "The value is in the system keyring, and this process reaches none (a service or a container often has none). Store it again with `bi-mcp secret set … --keep-in file`."
                )
            )
        return KeyringValues(backend, f"bi-mcp secrets {self.folder}")

    @property
    def _index(self) -> PrivateFile:
        return PrivateFile(self.folder / "secrets.json", _REMEDY)


def check_name(name: str) -> None:
    """Raise `ConfigError` for what cannot be a secret's name; the text does not repeat it, since it may be the secret."""
    if not is_name(name):
        raise ConfigError(
            say(
                "A secret's name begins with a small letter or a digit and holds only a-z, 0-9, - and _ (at most 63)."
            )
        )


def is_name(name: str) -> bool:
    """Whether this can be the name of a secret."""
    return _NAME.fullmatch(name) is not None


def set_command(name: str, *hosts: str) -> str:
    """What the user types to store a secret for these hosts."""
    return shlex.join(
        ["bi-mcp", "secret", "set", name, *(part for host in hosts for part in ("--for", host))]
    )


def _check_value(value: Secret) -> None:
    text = value.reveal()
    if not text:
        raise ConfigError(say("The value is empty. Nothing was stored; enter it again."))
    if len(text.encode(errors="surrogatepass")) > MAX_VALUE_BYTES or "\0" in text:
        raise ConfigError(
            say(
                "The value is not text, or larger than {max_value_bytes} bytes. Nothing was stored; check what was entered.",
                max_value_bytes=MAX_VALUE_BYTES,
            )
        )


def _parse(name: str, entry: Mapping[str, Any]) -> NamedSecret:
    if not is_name(name):
        raise ValueError(name)
    return NamedSecret(
        name=name,
        hosts=tuple(str(host) for host in entry["for"]),
        keeper=KEEPERS[KEEPERS.index(entry["kept_in"])],
        set_at=str(entry["set"]),
    )
