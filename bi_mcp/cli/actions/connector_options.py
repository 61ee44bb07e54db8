"""What a connector is started with: the options of a command over a TOML file, and where the secrets of both are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.config import (
    ConnectorSettings,
    configuration_folder,
    connector_password,
    connector_password_variable,
    connector_settings,
    secret_variable,
)
from bi_mcp.connector.addresses import find_driver, find_host, has_password, takes_password
from bi_mcp.connector.configuration import Configuration, Reference, parse_configuration, read_toml
from bi_mcp.errors import ConfigError, SecretReferenceError
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.setting_values import EnvReference, FileReference, SecretReference, SettingValues

# Options of the command whose values stand in the file under the same name.
_PLAIN = ("culture", "time_zone", "encoding", "host", "port", "public_url", "metrics")
# Variables of passwords have these names; a reference to them is one to the connector's own.
_OWN_PREFIX = "BI_MCP_CONNECTOR_"


@dataclass(frozen=True)
class Started:
    """A configuration, and what the person who starts it should hear about it."""

    configuration: Configuration
    warnings: tuple[str, ...]


def read_configuration(file: Path | None, options: Mapping[str, Any]) -> Started:
    """Read the file and put the options over it. Raises ConfigError with every wrong key or option."""
    settings = connector_settings()
    document = read_toml(file) if file else {}
    warnings = [_warn_of_password(name) for name, address in _sources(options) if has_password(address)]
    merged = _merge(document, _as_document(options, settings))
    configuration = parse_configuration(merged, _Resolver(settings))
    warnings += _warn_of_drivers(configuration)
    return Started(configuration, tuple(warnings))


def _as_document(options: Mapping[str, Any], settings: ConnectorSettings) -> dict[str, Any]:
    document: dict[str, Any] = {name: options[name] for name in _PLAIN if options.get(name) is not None}
    if settings.culture and "culture" not in document:
        document["culture"] = settings.culture
    for name in ("schemas", "tables"):
        if options.get(name):
            document[name] = list(options[name])
    if options.get("behind_proxy"):
        document["behind_proxy"] = True
    if options.get("max_answers"):
        document["limits"] = {"answers": options["max_answers"]}
    tls = {part: options.get(f"tls_{part}") for part in ("certificate", "key")}
    if any(tls.values()):
        document["tls"] = {part: value for part, value in tls.items() if value}
    if settings.key:
        document["keys"] = [{"key": {"env": f"{_OWN_PREFIX}KEY"}}]
    document |= _parametrised(options)
    document["sources"] = {name: _as_source(name, address) for name, address in _sources(options)}
    return document


def _sources(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    sources: list[tuple[str, str]] = []
    for given in options.get("sources") or ():
        name, sign, address = given.partition("=")
        if not (sign and name.strip() and address.strip()) or "://" in name:
            raise ConfigError(
                say(
                    "--source takes a name and an address, such as shop=postgresql://bi@db.internal/shop or sales=./exports."
                )
            )
        if name.strip() in dict(sources):
            raise ConfigError(
                say("--source names {name} twice. Give each source a name of its own.", name=name.strip())
            )
        sources.append((name.strip(), address.strip()))
    return sources


def _as_source(name: str, address: str) -> dict[str, Any]:
    source: dict[str, Any] = {"address": address}
    if takes_password(address) and not has_password(address) and connector_password(name):
        source["password"] = {"env": f"{_OWN_PREFIX}PASSWORD_{name}"}
    return source


def _parametrised(options: Mapping[str, Any]) -> dict[str, Any]:
    kind, hosts = options.get("parametrised"), options.get("allowed_hosts")
    if bool(kind) != bool(hosts):
        raise ConfigError(say("--parametrised and --allow-host go together. Give both, or neither."))
    return {"parametrised": {"kind": kind, "hosts": list(hosts)}} if kind and hosts else {}


def _merge(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Put one document over another: maps are merged, lists of keys joined, other values replaced."""
    merged = dict(below)
    for name, value in over.items():
        held = merged.get(name)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            merged[name] = {**held, **value}
        elif name == "keys" and isinstance(held, list):
            merged[name] = [*held, *value]
        else:
            merged[name] = value
    return merged


class _Resolver:
    """Reads the secrets that a configuration refers to."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self._settings = settings
        self._values = SettingValues(
            variable=secret_variable,
            folder=settings.secrets_folder,
            allow_literal_secrets=False,
            named=NamedSecrets(configuration_folder()),
        )

    def __call__(self, reference: Reference, where: str, address: str | None) -> Secret:
        own = self._own(reference.env or "")
        if own is not None:
            return own
        host = find_host(address) if address else None
        try:
            return self._values.refer(where, _as_vault_knows(reference), [f"https://{host}"] if host else [])
        except SecretReferenceError as error:
            text, *_ = error.args
            raise ConfigError(str(text).removeprefix("settings."), *error.advice) from None

    def _own(self, variable: str) -> Secret | None:
        if variable == f"{_OWN_PREFIX}KEY":
            return self._settings.key
        password = f"{_OWN_PREFIX}PASSWORD_"
        return connector_password(variable.removeprefix(password)) if variable.startswith(password) else None


def _as_vault_knows(reference: Reference) -> EnvReference | FileReference | SecretReference:
    if reference.env:
        return EnvReference(env=reference.env)
    if reference.file:
        return FileReference(file=reference.file)
    return SecretReference(secret=reference.secret or "")


def _warn_of_password(name: str) -> str:
    return say(
        "The address of {name} holds a password, and everyone on this machine can see it in the list of processes. Leave it out, and set {variable}.",
        name=name,
        variable=connector_password_variable(name),
    )


def _warn_of_drivers(configuration: Configuration) -> Iterator[str]:
    for name, source in configuration.sources.items():
        found = find_driver(source.plain)
        if found is not None:
            kind, driver = found
            yield say(
                "The address of {name} names the driver {driver}, which is not used: the connector has its own. Write {kind}://.",
                name=name,
                driver=driver,
                kind=kind,
            )
