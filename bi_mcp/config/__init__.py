"""Settings. The only reader of the environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from bi_mcp.base.language import LANGUAGES, Language, say
from bi_mcp.base.logs import LOG_FORMATS, LOG_LEVELS, LogFormat, LogLevel
from bi_mcp.base.secret import Secret
from bi_mcp.config.variables import (
    Environment,
    read_choice,
    read_declared,
    read_file,
    read_ids,
    read_names,
    read_path,
    read_plain,
    read_raw,
    read_secret,
    read_switch,
    variable,
)
from bi_mcp.errors import ConfigError

Generation = Literal["classic", "tables"]
ErrorPlace = Literal["result", "root"]
Limits = Literal["off", "standard", "enterprise"]
Culture = Literal["ru", "en", "en-gb", "de", "iso"]
Confirmation = Literal["elicit", "token", "off"]

GENERATIONS: tuple[Generation, ...] = get_args(Generation)
ERROR_PLACES: tuple[ErrorPlace, ...] = get_args(ErrorPlace)
LIMITS: tuple[Limits, ...] = get_args(Limits)
CULTURES: tuple[Culture, ...] = get_args(Culture)
CONFIRMATIONS: tuple[Confirmation, ...] = get_args(Confirmation)


@dataclass(frozen=True, kw_only=True)
class LocalPortalSettings:
    """Behaviour of the practice portal.

    `access_token` and `webhook` (`USER/SECRET`) are fixed credentials, accepted beside the issued ones.
    `faults` opens the control route with which tests order faults. `culture` is how a chart's filter writes dates.
    `users` are spelled `ID:NAME:RIGHTS`. `application` (`ID:SECRET`) are those of the application that `bi-mcp portal` registers.
    """

    database: str = variable("BI_MCP_PORTAL_DB", read_raw, ":memory:")
    generation: Generation = variable("BI_MCP_PORTAL_GENERATION", read_choice(GENERATIONS), "tables")
    errors: ErrorPlace = variable("BI_MCP_PORTAL_ERRORS", read_choice(ERROR_PLACES), "result")
    limits: Limits = variable("BI_MCP_PORTAL_LIMITS", read_choice(LIMITS), "off")
    access_token: Secret | None = variable("BI_MCP_PORTAL_ACCESS_TOKEN", read_secret, None)
    webhook: Secret | None = variable("BI_MCP_PORTAL_WEBHOOK", read_secret, None)
    faults: bool = variable("BI_MCP_PORTAL_FAULTS", read_switch, default=False)
    culture: Culture = variable("BI_MCP_PORTAL_CULTURE", read_choice(CULTURES), "ru")
    users: tuple[str, ...] = variable("BI_MCP_PORTAL_USERS", read_names, ())
    application: Secret | None = variable("BI_MCP_PORTAL_APPLICATION", read_secret, None)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the server: its portals, and the data that it may show.

    `portal_url` with `access_token`, or `webhook_url`, is the one portal. Without them it is the `profiles` (none named: all)
    that `configuration_folder` holds, and without any the practice portal, which behaves as `embedded` says.
    `shown_settings` are further codes of source settings whose values may be seen; `none` hides the harmless ones, too.
    `confirm` says how destructive acts are held back: `elicit` asks the person if the client can and else previews,
    `token` always previews and never asks, `off` holds nothing back. `read_only` leaves out the tools that write;
    `toolsets` names the groups of tools to offer, none the usual ones. `workspace_folder` is where a model may read setup
    files. `history` keeps the data for an undo in `configuration_folder`; `audit_file` records every write and its author.
    """

    portal_url: str | None = variable("BI_MCP_PORTAL_URL", read_plain, None)
    configuration_folder: Path | None = None
    profiles: tuple[str, ...] = variable("BI_MCP_PROFILE", read_names, ())
    access_token: Secret | None = variable("BI_MCP_ACCESS_TOKEN", read_secret, None)
    webhook_url: Secret | None = variable("BI_MCP_WEBHOOK", read_secret, None)
    embedded: LocalPortalSettings = LocalPortalSettings()
    shown_settings: frozenset[str] = variable(
        "BI_MCP_SHOW_SETTINGS", lambda *given: frozenset(read_names(*given)), frozenset()
    )
    secrets_folder: Path | None = variable("BI_MCP_SECRETS_DIR", read_path, None)
    workspace_folder: Path | None = variable("BI_MCP_WORKSPACE", read_path, None)
    allow_literal_secrets: bool = variable("BI_MCP_ALLOW_LITERAL_SECRETS", read_switch, default=False)
    confirm: Confirmation = variable("BI_MCP_CONFIRM", read_choice(CONFIRMATIONS), "elicit")
    read_only: bool = variable("BI_MCP_READ_ONLY", read_switch, default=False)
    toolsets: tuple[str, ...] = variable("BI_MCP_TOOLSETS", read_names, ())
    limits: Limits = variable("BI_MCP_LIMITS", read_choice(LIMITS), "standard")
    language: Language = variable("BI_MCP_LANGUAGE", read_choice(LANGUAGES), "en")
    history: bool = variable("BI_MCP_HISTORY", read_switch, default=True)
    audit_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """Settings of a server over HTTP: its callers, and the store that its replicas share.

    `token` is one fixed bearer token; `issuer` and `audience` accept the tokens of an OAuth server instead, whose keys
    are at `jwks` or where the issuer's metadata says. `shared_store` is an address with or without a password;
    `shared_key` encrypts the data there. `metrics_token` opens the metrics of a server that people sign in to.
    """

    token: Secret | None = variable("BI_MCP_HTTP_TOKEN", read_secret, None)
    issuer: str | None = variable("BI_MCP_HTTP_ISSUER", read_plain, None)
    audience: str | None = variable("BI_MCP_HTTP_AUDIENCE", read_plain, None)
    jwks: str | None = variable("BI_MCP_HTTP_JWKS", read_plain, None)
    shared_store: Secret | None = variable("BI_MCP_SHARED_STORE", read_secret, None)
    shared_key: Secret | None = variable("BI_MCP_SHARED_KEY", read_secret, None)
    metrics_token: Secret | None = variable("BI_MCP_METRICS_TOKEN", read_secret, None)


@dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """The application that the operator registered on the one portal that people sign in to, and who may come in.

    `users` and `departments` are ids of the portal; with neither everybody who can log in there.
    """

    client_id: str | None = variable("BI_MCP_SIGN_IN_CLIENT_ID", read_plain, None)
    client_secret: Secret | None = variable("BI_MCP_SIGN_IN_CLIENT_SECRET", read_secret, None)
    users: frozenset[int] = variable("BI_MCP_SIGN_IN_USERS", read_ids, frozenset())
    departments: frozenset[int] = variable("BI_MCP_SIGN_IN_DEPARTMENTS", read_ids, frozenset())


@dataclass(frozen=True, kw_only=True)
class ConnectorSettings:
    """Settings of the connector: the key that opens its sources, the culture of the portal that asks, the folder for secrets."""

    key: Secret | None = variable("BI_MCP_CONNECTOR_KEY", read_secret, None)
    culture: Culture | None = variable("BI_MCP_CONNECTOR_CULTURE", read_choice(CULTURES), None)
    secrets_folder: Path | None = variable("BI_MCP_SECRETS_DIR", read_path, None)


def connector_settings(environment: Environment = os.environ) -> ConnectorSettings:
    """Read the `BI_MCP_CONNECTOR_*` variables."""
    return ConnectorSettings(**read_declared(ConnectorSettings, environment))


def connector_password(source: str, environment: Environment = os.environ) -> Secret | None:
    """Read the password of a connector's source: `BI_MCP_CONNECTOR_PASSWORD_` and the source's name in capitals."""
    return read_secret(connector_password_variable(source), environment)


def connector_password_variable(source: str) -> str:
    return f"BI_MCP_CONNECTOR_PASSWORD_{re.sub('[^A-Z0-9]', '_', source.upper())}"


def http_settings(environment: Environment = os.environ) -> HttpSettings:
    """Read the `BI_MCP_HTTP_*` and `BI_MCP_SHARED_*` variables. `server.http.serving_rules` checks their values."""
    return HttpSettings(**read_declared(HttpSettings, environment))


def sign_in_settings(environment: Environment = os.environ) -> SignInSettings:
    """Read the `BI_MCP_SIGN_IN_*` variables."""
    return SignInSettings(**read_declared(SignInSettings, environment))


def read_settings(
    environment: Environment = os.environ, *, profiles: tuple[str, ...] = (), **options: str | None
) -> Settings:
    """Read the `BI_MCP_*` variables. Raises `ConfigError` when they do not fit together.

    `profiles` and the other options of a command overrule the variables; the options have their names, and None if they are not given.
    """
    given = {**environment, **{name: value for name, value in options.items() if value is not None}}
    folder = configuration_folder(given)
    audit_file = given.get("BI_MCP_AUDIT_FILE") or folder / "audit.jsonl"
    settings = Settings(
        **read_declared(Settings, given),
        configuration_folder=folder,
        embedded=embedded_portal_settings(given),
        audit_file=None if str(audit_file).lower() == "off" else Path(audit_file).absolute(),
    )
    _check_one_portal(settings, profiles)
    return replace(settings, profiles=profiles) if profiles else settings


def _check_one_portal(settings: Settings, profiles: tuple[str, ...]) -> None:
    url, token, webhook = settings.portal_url, settings.access_token, settings.webhook_url
    if token and webhook:
        raise ConfigError(
            say(
                "BI_MCP_ACCESS_TOKEN and BI_MCP_WEBHOOK are both set. Keep the access token: a webhook may only read *.fields."
            )
        )
    if url and webhook:
        raise ConfigError(
            say(
                "BI_MCP_PORTAL_URL and BI_MCP_WEBHOOK are both set. A webhook's address names its portal already: leave out BI_MCP_PORTAL_URL."
            )
        )
    if url and not token:
        raise ConfigError(say("BI_MCP_PORTAL_URL is set without a credential. Set BI_MCP_ACCESS_TOKEN too."))
    if token and not url:
        raise ConfigError(
            say(
                "BI_MCP_ACCESS_TOKEN is set without a portal. Set BI_MCP_PORTAL_URL too, such as https://portal.example."
            )
        )
    if profiles and (url or webhook):
        raise ConfigError(
            say("--profile and a portal in BI_MCP_PORTAL_URL or BI_MCP_WEBHOOK exclude each other. Drop one.")
        )


def log_settings(
    form: LogFormat | None,
    level: LogLevel | None,
    environment: Environment = os.environ,
    *,
    default: LogLevel = "warning",
) -> tuple[LogFormat, LogLevel]:
    """Read the form and level of logs: the options, else `BI_MCP_LOG_FORMAT` and `BI_MCP_LOG_LEVEL`, else text and `default`."""
    return (
        form or read_choice(LOG_FORMATS)("BI_MCP_LOG_FORMAT", environment) or "text",
        level or read_choice(LOG_LEVELS)("BI_MCP_LOG_LEVEL", environment) or default,
    )


_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_in_terminal(environment: Environment = os.environ) -> Language:
    """Read the language of texts in a terminal: `BI_MCP_LANGUAGE`, or that of the system if it is known."""
    chosen = read_choice(LANGUAGES)("BI_MCP_LANGUAGE", environment)
    if chosen:
        return chosen
    # Earlier ones overrule later ones.
    wished = next((held for name in _LOCALES if (held := environment.get(name))), "")
    code = wished.partition(".")[0].partition("_")[0].lower()
    return next((known for known in LANGUAGES if known == code), "en")


@contextmanager
def system_language(language: Language) -> Iterator[None]:
    """Make this language the system's for libraries that ask the environment and for programs started from here."""
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = language
    try:
        yield
    finally:
        del os.environ["LANGUAGE"]
        if before is not None:
            os.environ["LANGUAGE"] = before


def width_is_chosen(environment: Environment = os.environ) -> bool:
    """Check whether `COLUMNS` sets the width of the terminal."""
    return environment.get("COLUMNS", "").isdecimal()


def wants_no_colour(environment: Environment = os.environ) -> bool:
    """Check whether `NO_COLOR` is set, to anything. See https://no-color.org."""
    return bool(environment.get("NO_COLOR"))


def configuration_folder(environment: Environment = os.environ) -> Path:
    """Return the folder of profiles and, without a keyring, tokens: `BI_MCP_CONFIG_DIR`, or the user's configuration folder."""
    chosen = environment.get("BI_MCP_CONFIG_DIR")
    if chosen:
        return Path(chosen).absolute()
    # Imported here: it is needed only where no folder was named.
    from platformdirs import user_config_path

    return user_config_path("bi-mcp", appauthor=False)


def chosen_configuration_folder(environment: Environment = os.environ) -> Path | None:
    """Return the folder of `BI_MCP_CONFIG_DIR`, None without it: a client that starts bi-mcp does not know the variable."""
    return configuration_folder(environment) if environment.get("BI_MCP_CONFIG_DIR") else None


def programs_settings_folder(
    environment: Environment = os.environ, system: str = sys.platform, home: Path | None = None
) -> Path:
    """Return the folder in which desktop programs of a system (`linux`, `darwin`, `win32`) keep a user's settings."""
    home = home or Path.home()
    if system == "darwin":
        return home / "Library" / "Application Support"
    if system == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")


def sample_password(environment: Environment = os.environ) -> Secret | None:
    """Read the password of a sample connector on a port, None for the published one."""
    return read_secret("BI_MCP_SAMPLE_PASSWORD", environment)


def sample_culture(environment: Environment = os.environ) -> str | None:
    """Read the culture of the portal that calls a sample connector on a port: it settles slashed dates in filters."""
    return read_raw("BI_MCP_SAMPLE_CULTURE", environment)


def secret_variable(name: str) -> Secret | None:
    """Read an environment variable that a source's setting refers to, None when it is not set."""
    # Spaces may belong to a password, the line end of `$(cat file)` or of a Windows file does not.
    value = os.environ.get(name, "").strip("\r\n")
    return Secret(value) if value else None


def secret_file(named_by: str, path: Path) -> Secret:
    """Read a file that holds one secret, as containers are given theirs. `named_by` is told in the `ConfigError`."""
    return Secret(read_file(named_by, path))


def secret_variables(prefix: str) -> list[Secret]:
    """Read all environment variables that a source's setting can refer to."""
    return [Secret(value) for name, value in os.environ.items() if name.startswith(prefix) and value.strip()]


def embedded_portal_settings(environment: Environment = os.environ) -> LocalPortalSettings:
    """Read the practice portal's settings, with a memory: without `BI_MCP_PORTAL_DB`, in the user's data folder."""
    settings = local_portal_settings(environment)
    if environment.get("BI_MCP_PORTAL_DB"):
        return settings
    # Imported here: it is needed only where no file was named.
    from platformdirs import user_data_path

    return replace(settings, database=str(user_data_path("bi-mcp", appauthor=False) / "portal.sqlite3"))


def local_portal_settings(environment: Environment = os.environ) -> LocalPortalSettings:
    """Read the `BI_MCP_PORTAL_*` variables. Without `BI_MCP_PORTAL_DB` the portal lives in memory."""
    return LocalPortalSettings(**read_declared(LocalPortalSettings, environment))
