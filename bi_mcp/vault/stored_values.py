"""Recognition of the values of stored secrets, present and former, among those that a portal holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, ConfigError
from bi_mcp.vault.fingerprints import trim
from bi_mcp.vault.secret_index import advise_forget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bi_mcp.base.secret import Secret
    from bi_mcp.vault.fingerprints import FingerprintKey
    from bi_mcp.vault.keyring import Keeper
    from bi_mcp.vault.named_secrets import NamedSecrets
    from bi_mcp.vault.secret_index import NamedSecret


@dataclass(frozen=True)
class StoredValues:
    """Present values, and former ones by their fingerprints, with the keys to compare these."""

    present: Sequence[tuple[NamedSecret, Secret]] = ()
    former: Sequence[NamedSecret] = ()
    keys: Mapping[Keeper, FingerprintKey] = field(default_factory=dict)

    def owners(self, value: Secret) -> list[NamedSecret]:
        """Find the secrets that have this value, or else those that had it. Space around it does not count."""
        sought = trim(value)
        present = [secret for secret, held in self.present if trim(held) == sought]
        if present or not self.former:
            return present
        fingerprints = {key.fingerprint(sought) for key in self.keys.values()}
        return [secret for secret in self.former if secret.fingerprint in fingerprints]


def stored_values(named: NamedSecrets) -> StoredValues:
    """Read everything that is needed to recognise a value. Raises `ConfigError` if something cannot be read."""
    values, errors = read_stored_values(named)
    if errors:
        raise errors[0]
    return values


def read_stored_values(named: NamedSecrets) -> tuple[StoredValues, list[BiMcpError]]:
    """Read the values that can be read, and the errors of the others. May wait for a keyring."""
    try:
        index = named.index()
    except BiMcpError as error:
        return StoredValues(), [error]
    present: list[tuple[NamedSecret, Secret]] = []
    errors: list[BiMcpError] = []
    for secret in index.known.values():
        try:
            present.append((secret, named.value(secret)))
        except BiMcpError as error:
            errors.append(error)
    keys: dict[Keeper, FingerprintKey] = {}
    for keeper in dict.fromkeys(secret.keeper for secret in index.former):
        try:
            keys |= _key(named, keeper, [secret for secret in index.former if secret.keeper == keeper])
        except BiMcpError as error:
            errors.append(error)
    return StoredValues(present, index.former, keys), errors


def _key(named: NamedSecrets, keeper: Keeper, former: Sequence[NamedSecret]) -> dict[Keeper, FingerprintKey]:
    key = named.key(keeper)
    lost = [secret.name for secret in former if key is None or not key.recognises(secret.fingerprint)]
    if lost or key is None:
        names = dict.fromkeys(lost)
        raise ConfigError(
            say(
                "Former values of {names} can no longer be recognised: the key of their fingerprints is missing from its store ({keeper}).",
                names=", ".join(names),
                keeper=keeper,
            ),
            advise_forget(*names),
        )
    return {keeper: key}
