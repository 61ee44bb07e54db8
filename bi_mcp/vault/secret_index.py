"""Content of `secrets.json`: the stored secrets, their hosts, and fingerprints of former values; never a value. Pure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bi_mcp.base.advice import Advice, AdviceKind, advise
from bi_mcp.vault.keyring import KEEPERS
from bi_mcp.vault.private_file import VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bi_mcp.vault.keyring import Keeper

# Of one secret, and of all: a year of monthly changes, and a file that stays small. The oldest are forgotten first.
MOST_FORMER_OF_ONE = 12
MOST_FORMER = 600

# Small letters only, as with profiles: `Shop` and `shop` would be taken for the same secret.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class NamedSecret:
    """A stored secret without its value. `hosts` are as `destination` writes them, `set_at` is UTC, ISO 8601.

    `fingerprint` recognises the value, empty where an older version stored it. `replaced_at` is the moment at which the value
    was replaced or removed, empty for the present one.
    """

    name: str
    hosts: tuple[str, ...]
    keeper: Keeper
    set_at: str
    fingerprint: str = field(default="", repr=False)
    replaced_at: str = ""

    def may_go_to(self, host: str) -> bool:
        """Check whether the user bound it to this destination."""
        return host in self.hosts

    def advise_binding(self, *hosts: str) -> Advice:
        """Advise to bind it to these hosts as well; a former value cannot be bound, only forgotten."""
        if self.replaced_at:
            return advise_forget(self.name)
        return advise_store(AdviceKind.ALLOW_HOSTS, self.name, dict.fromkeys((*self.hosts, *hosts)))


@dataclass(frozen=True)
class SecretIndex:
    """The stored secrets by name, and their former values, the newest last."""

    known: dict[str, NamedSecret] = field(default_factory=dict)
    former: list[NamedSecret] = field(default_factory=list)

    def retire(self, name: str, fingerprint: str, moment: str) -> None:
        """Take a secret out, and remember its fingerprint, if it has one."""
        before = self.known.pop(name)
        if fingerprint:
            self.former.append(replace(before, fingerprint=fingerprint, replaced_at=moment))
            surplus = [secret for secret in self.former if secret.name == name][:-MOST_FORMER_OF_ONE]
            self.former[:] = [secret for secret in self.former if secret not in surplus][-MOST_FORMER:]

    def forget(self, fingerprints: Collection[str]) -> None:
        """Forget the former values with these fingerprints."""
        self.former[:] = [secret for secret in self.former if secret.fingerprint not in fingerprints]

    def as_json(self) -> dict[str, object]:
        """Return the document in its stored form."""
        former = [_entry(secret) | {"name": secret.name} for secret in self.former]
        return {
            "version": VERSION,
            "secrets": {name: _entry(secret) for name, secret in self.known.items()},
            **({"former": former} if former else {}),
        }


def parse_index(document: Mapping[str, Any]) -> SecretIndex:
    """Read a document. Anything else raises `AttributeError`, `KeyError`, `TypeError` or `ValueError`."""
    known = {name: _parse(name, entry) for name, entry in sorted(document.get("secrets", {}).items())}
    return SecretIndex(known, [_parse(entry["name"], entry) for entry in document.get("former", [])])


def is_name(name: str) -> bool:
    """Check whether this can be the name of a secret."""
    return _NAME.fullmatch(name) is not None


def advise_store(kind: AdviceKind, name: str, hosts: Iterable[str], **facts: object) -> Advice:
    """Advise the user to store a secret for these hosts. `arguments` are those of the command that does it."""
    arguments = shlex.join([name, *(part for host in hosts for part in ("--for", host))])
    return advise(kind, name=name, hosts=", ".join(hosts), arguments=arguments, **facts)


def advise_forget(*names: str) -> Advice:
    """Advise the user to forget the former values of these secrets."""
    return advise(AdviceKind.FORGET_FORMER, names=" ".join(names))


def _entry(secret: NamedSecret) -> dict[str, object]:
    later = {"fingerprint": secret.fingerprint, "replaced": secret.replaced_at}
    return {
        "for": secret.hosts,
        "kept_in": secret.keeper,
        "set": secret.set_at,
        **{name: value for name, value in later.items() if value},
    }


def _parse(name: str, entry: Mapping[str, Any]) -> NamedSecret:
    if not is_name(name):
        raise ValueError(name)
    return NamedSecret(
        name=name,
        hosts=tuple(str(host) for host in entry["for"]),
        keeper=KEEPERS[KEEPERS.index(entry["kept_in"])],
        set_at=str(entry["set"]),
        fingerprint=str(entry.get("fingerprint", "")),
        replaced_at=str(entry.get("replaced", "")),
    )
