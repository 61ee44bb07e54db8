"""The configuration of a connector: a TOML file, whose keys the options of the command overrule.

A password is not written into it but referred to: `password = {env = "BI_MCP_SECRET_SHOP"}`, `{file = "shop"}` or
`{secret = "shop"}`. Of an access key it holds the hash.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.connector.access.keys import AccessKey, key_from, read_hash
from bi_mcp.connector.addresses import with_password
from bi_mcp.connector.columns import Type
from bi_mcp.connector.configuration_errors import word_errors
from bi_mcp.connector.options import LongNumbers, SourceOptions, Spelling
from bi_mcp.connector.question.dates import Culture
from bi_mcp.connector.service.settings import MetricsReaders, ServiceSettings
from bi_mcp.errors import ConfigError


def _read_zone(value: object) -> object:
    try:
        return ZoneInfo(value) if isinstance(value, str) else value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone; write one such as Europe/Moscow") from None


Zone: TypeAlias = Annotated[ZoneInfo, BeforeValidator(_read_zone)]


def _read_encoding(value: object) -> object:
    try:
        if isinstance(value, str):
            b"x".decode(value, "replace")
    except (LookupError, ValueError):
        raise ValueError("is not an encoding; write one such as cp1251") from None
    return value


Encoding: TypeAlias = Annotated[str, BeforeValidator(_read_encoding)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]


class _Model(BaseModel):
    # What was written may be a secret in the wrong place: errors do not repeat it.
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Reference(_Model):
    """The place of a secret: one variable, one file in the folder for secrets, or one stored secret."""

    env: str | None = None
    file: str | None = None
    secret: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Reference:
        if len([kind for kind in (self.env, self.file, self.secret) if kind]) != 1:
            raise ValueError('takes one of {env = "…"}, {file = "…"} and {secret = "…"}')
        return self


class _Options(_Model):
    """Options that a source has, and that the file may set for all sources that do not say otherwise."""

    culture: Culture | None = None
    time_zone: Zone | None = None
    encoding: Encoding | None = None
    schemas: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    spelling: Spelling | None = None
    long_numbers: LongNumbers | None = None
    timeout: Seconds | None = None
    connections: Count | None = None
    memory: Count | None = None
    rows: Count | None = None


class _Source(_Options):
    address: str
    password: Reference | None = None
    titles: dict[str, str] = {}
    types: dict[str, dict[str, Type]] = {}


class _Key(_Model):
    hash: str | None = None
    key: Reference | None = None
    sources: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one(self) -> _Key:
        if (self.hash is None) == (self.key is None):
            raise ValueError('takes one of hash = "sha256:…" and key = {env = "…"}')
        if self.hash is not None:
            read_hash(self.hash)
        return self


class _Parametrised(_Model):
    kind: str
    hosts: tuple[str, ...]


class _Limits(_Model):
    answers: Count = ServiceSettings.answers
    answer_seconds: Seconds = ServiceSettings.answer_seconds
    body_bytes: Count = ServiceSettings.body_bytes


class _Tls(_Model):
    certificate: Path
    key: Path


class _Document(_Options):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8772
    public_url: str | None = None
    behind_proxy: bool = False
    stop_seconds: Seconds = 20.0
    metrics: MetricsReaders = "local"
    tls: _Tls | None = None
    limits: _Limits = _Limits()
    keys: tuple[_Key, ...] = ()
    sources: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")], _Source] = {}
    parametrised: _Parametrised | None = None


# Reads the secret of a reference: the reference, where it stands, and the address it will be sent to.
Resolve: TypeAlias = Callable[[Reference, str, "str | None"], Secret]


@dataclass(frozen=True, kw_only=True)
class SourceSetup:
    """A source as it is configured. `plain` is its address as it was written, without the password that was referred to."""

    address: Secret
    plain: str
    options: SourceOptions
    rows: int | None


@dataclass(frozen=True, kw_only=True)
class Parametrised:
    """Databases of one kind that the settings of sources name, and the hosts where they may be."""

    kind: str
    hosts: tuple[str, ...]
    options: SourceOptions
    rows: int | None


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where and how the connector listens. After a signal running answers have `stop_seconds` to end."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    behind_proxy: bool
    stop_seconds: float


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All that a connector is started with."""

    sources: Mapping[str, SourceSetup]
    keys: tuple[AccessKey, ...]
    parametrised: Parametrised | None
    service: ServiceSettings
    listening: Listening


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file. Raises ConfigError for one that cannot be read, and with the place of what is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            say("{file} is not TOML in UTF-8. Correct it: {reason}", file=path.name, reason=error)
        ) from None
    except FileNotFoundError:
        raise ConfigError(
            say("{file} cannot be read: there is no such file. Correct its path.", file=path)
        ) from None
    except OSError as error:
        raise ConfigError(
            say(
                "{file} cannot be read: {reason}. Correct its path, or let this user read it.",
                file=path,
                reason=error.strerror,
            )
        ) from None


def parse_configuration(document: Mapping[str, Any], resolve: Resolve) -> Configuration:
    """Read a configuration from nested maps. Raises ConfigError, which names every wrong key."""
    try:
        found = _Document.model_validate(document)
    except ValidationError as error:
        raise ConfigError(word_errors(error)) from None
    _require_sources(found)
    return Configuration(
        sources={name: _build_source(name, found, resolve) for name in found.sources},
        keys=tuple(_build_key(at, found, resolve) for at in range(len(found.keys))),
        parametrised=_build_parametrised(found),
        service=ServiceSettings(
            answers=found.limits.answers,
            answer_seconds=found.limits.answer_seconds,
            body_bytes=found.limits.body_bytes,
            metrics=_choose_metrics(found),
            public_url=found.public_url,
        ),
        listening=Listening(
            host=found.host,
            port=found.port,
            certificate=found.tls.certificate if found.tls else None,
            key=found.tls.key if found.tls else None,
            behind_proxy=found.behind_proxy,
            stop_seconds=found.stop_seconds,
        ),
    )


def _require_sources(found: _Document) -> None:
    if found.sources and found.parametrised:
        raise ConfigError(
            say(
                "Sources are given, and a kind of parametrised ones: a connector serves one or the other, not both. Leave one out."
            )
        )
    if not (found.sources or found.parametrised):
        raise ConfigError(
            say(
                "The connector needs sources. Name one with {example}, or name a file that says them with --config FILE.",
                example="--source shop=postgresql://bi@db.internal/shop",
            )
        )


def _choose_metrics(document: _Document) -> MetricsReaders:
    # A proxy or a tunnel calls from this machine for everyone, and need not say so.
    forwards = document.behind_proxy or document.public_url is not None
    return "off" if forwards and document.metrics == "local" else document.metrics


def _build_source(name: str, document: _Document, resolve: Resolve) -> SourceSetup:
    source = document.sources[name]
    where = f"sources.{name}.password"
    password = resolve(source.password, where, source.address) if source.password else None
    try:
        address = with_password(source.address, password)
    except ConfigError as error:
        raise ConfigError(f"sources.{name}: {error}") from None
    return SourceSetup(
        address=address,
        plain=source.address,
        options=_build_options(document, source, titles=source.titles, types=source.types),
        rows=source.rows or document.rows,
    )


def _build_options(document: _Options, source: _Options | None = None, **more: Any) -> SourceOptions:
    names = _Options.model_fields.keys() - {"rows"}
    said = {
        name: value
        for part in (document, source)
        if part is not None
        for name in names
        if (value := getattr(part, name)) is not None
    }
    return SourceOptions(**said, **more)


def _build_key(at: int, document: _Document, resolve: Resolve) -> AccessKey:
    key = document.keys[at]
    sources = None if key.sources is None else frozenset(key.sources)
    unknown = sorted((sources or frozenset()) - document.sources.keys())
    if unknown:
        raise ConfigError(
            say(
                "keys[{at}].sources: there is no source {name!r}. Name one of those below [sources].",
                at=at + 1,
                name=unknown[0],
            )
        )
    if key.key is not None:
        where = f"keys[{at + 1}].key"
        return key_from(resolve(key.key, where, None), key.key.env or where, sources)
    return AccessKey(read_hash(key.hash or ""), sources)


def _build_parametrised(document: _Document) -> Parametrised | None:
    found = document.parametrised
    if found is None:
        return None
    return Parametrised(
        kind=found.kind, hosts=found.hosts, options=_build_options(document), rows=document.rows
    )
