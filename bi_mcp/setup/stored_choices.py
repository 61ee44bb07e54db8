"""Stored secrets in place of a setup's references: which may go where a value is sent, and the names by which a reader means one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bi_mcp.errors import BiMcpError, SecretReferenceError
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.setting_values import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bi_mcp.setup.setup import Setup
    from bi_mcp.vault.named_secrets import NamedSecrets
    from bi_mcp.vault.setting_values import SettingValue, SettingValues


def find_fitting(named: NamedSecrets | None, addresses: Collection[str]) -> list[str]:
    """Return the names of the stored secrets that may go to all hosts of these addresses. May wait for a file."""
    if named is None:
        return []
    try:
        hosts = find_destinations(addresses, "")
        known = named.known()
    except BiMcpError:
        return []
    return [name for name, secret in known.items() if hosts and all(map(secret.may_go_to, hosts))]


def propose_replacements(setup: Setup, wanted: Setup, values: SettingValues) -> dict[str, str]:
    """Propose a stored secret for each reference of a `setup` that cannot be used as it is `wanted`, by the reference's name.

    A name that several places share with different proposals is told by its place.
    """
    proposed = list(_proposals(setup, wanted, values))
    found = dict[str, str]()
    for key, code, name, secret in proposed:
        same = {other for *_, shared, other in proposed if shared == name}
        found[name if len(same) == 1 else f"{key}.{code}"] = secret
    return found


def _proposals(setup: Setup, wanted: Setup, values: SettingValues) -> Iterator[tuple[str, str, str, str]]:
    for key, entry in wanted.sources.items():
        connector = wanted.connectors[entry.connector]
        fitting = find_fitting(values.named, connector.addresses)
        for code, value in entry.settings.items():
            name = reference_name(setup.sources[key].settings[code])
            if fitting and name and not _is_usable(code, value, values, connector.addresses):
                yield key, code, name, min(fitting, key=lambda each: (each not in name.lower(), each))


def _is_usable(code: str, value: SettingValue, values: SettingValues, addresses: Collection[str]) -> bool:
    if isinstance(value, str | int):
        return True
    try:
        return bool(values.refer(code, value, addresses))
    except SecretReferenceError:
        return False
    except BiMcpError:
        # A keyring that does not answer is another trouble.
        return True


def reference_name(value: SettingValue) -> str | None:
    """Return the name of what a reference refers to, None for a plain value."""
    return None if isinstance(value, str | int) else next(iter(value.model_dump().values()))


def names_of_place(setup: Setup, key: str, code: str) -> set[str]:
    """The names by which a reader may mean a setting of a source, each as `fold` folds it."""
    entry = setup.sources[key]
    parameters: Mapping[str, str] = {
        each.code: each.name for each in setup.connectors[entry.connector].settings
    }
    name = reference_name(entry.settings[code]) or ""
    settings = [code, parameters.get(code, code)]
    owners = [entry.title, key, f"sources.{key}.settings"]
    places = [f"{owner} {setting}" for owner in owners for setting in settings]
    return {fold(each) for each in (name, name.removeprefix(ENV_PREFIX), *settings, *places) if fold(each)}


def fold(name: str) -> str:
    """`"Shop data: Password"` -> `"shop data password"`."""
    return re.sub(r"[\W_]+", " ", name).strip().lower()
