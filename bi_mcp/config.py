"""Settings. The only module that reads the environment."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from bi_mcp.base.language import LANGUAGES, Language, say
from bi_mcp.base.logs import LOG_FORMATS, LOG_LEVELS, LogFormat, LogLevel
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Choice = TypeVar("Choice", bound=str)

Generation = Literal["classic", "tables"]
ErrorPlace = Literal["result", "root"]
Limits = Literal["off", "standard", "enterprise"]
Culture = Literal["ru", "en", "en-gb", "de", "iso"]
Confirmation = Literal["elicit", "token", "off"]

GENERATIONS: tuple[Generation, ...] = ("classic", "tables")
ERROR_PLACES: tuple[ErrorPlace, ...] = ("result", "root")
LIMITS: tuple[Limits, ...] = ("off", "standard", "enterprise")
CULTURES: tuple[Culture, ...] = ("ru", "en", "en-gb", "de", "iso")
CONFIRMATIONS: tuple[Confirmation, ...] = ("elicit", "token", "off")

_LARGEST_SECRET = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class LocalPortalSettings:
    """Behaviour of the practice portal.

    `access_token` and `webhook` (`USER/SECRET`) are fixed credentials, accepted beside the issued ones.
    `faults` opens the control route with which tests order faults. `culture` is how a chart's filter writes dates.
    """

    database: str = ":memory:"
    generation: Generation = "tables"
    errors: ErrorPlace = "result"
    limits: Limits = "off"
    access_token: Secret | None = None
    webhook: Secret | None = None
    faults: bool = False
    culture: Culture = "ru"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the server: its portals, and the data that it may show.

    `portal_url` with `access_token`, or `webhook_url`, is the one portal. Without them it is the `profiles` (none named: all)
    that `configuration_folder` holds, and without any the embedded portal, which behaves as `embedded` says.
    `shown_settings` are the codes of source settings whose values may be seen.
    `confirm` says how destructive acts are held back: `elicit` asks the person if the client can and else previews,
    `token` always previews and never asks, `off` holds nothing back. `read_only` leaves out the tools that write;
    `toolsets` names the groups of tools to offer, none the usual ones. `workspace_folder` is where a model may read setup
    files. `history` keeps the data for an undo in `configuration_folder`; `audit_file` records every write and its author.
    """

    portal_url: str | None = None
    configuration_folder: Path | None = None
    profiles: tuple[str, ...] = ()
    access_token: Secret | None = None
    webhook_url: Secret | None = None
    embedded: LocalPortalSettings = LocalPortalSettings()
    shown_settings: frozenset[str] = frozenset()
    secrets_folder: Path | None = None
    workspace_folder: Path | None = None
    allow_literal_secrets: bool = False
    confirm: Confirmation = "elicit"
    read_only: bool = False
    toolsets: tuple[str, ...] = ()
    limits: Limits = "standard"
    language: Language = "en"
    history: bool = True
    audit_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """Settings of a server over HTTP: its callers, and the store that its replicas share.

    `token` is one fixed bearer token; `issuer` and `audience` accept the tokens of an OAuth server instead, whose keys
    are at `jwks` or where the issuer's metadata says. `shared_store` is an address with or without a password;
    `shared_key` encrypts the data there.
    """

    token: Secret | None = None
    issuer: str | None = None
    audience: str | None = None
    jwks: str | None = None
    shared_store: Secret | None = None
    shared_key: Secret | None = None


def http_settings(environment: Mapping[str, str] = os.environ) -> HttpSettings:
    """Read the `BI_MCP_HTTP_*` and `BI_MCP_SHARED_*` variables. `server.http.serving_rules` checks their values."""
    return HttpSettings(
        token=_secret(environment, "BI_MCP_HTTP_TOKEN"),
        issuer=_text(environment, "BI_MCP_HTTP_ISSUER"),
        audience=_text(environment, "BI_MCP_HTTP_AUDIENCE"),
        jwks=_text(environment, "BI_MCP_HTTP_JWKS"),
        shared_store=_secret(environment, "BI_MCP_SHARED_STORE"),
        shared_key=_secret(environment, "BI_MCP_SHARED_KEY"),
    )


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the `BI_MCP_*` variables. Raises `ConfigError` when they do not fit together."""
    portal_url = _text(environment, "BI_MCP_PORTAL_URL")
    access_token = _secret(environment, "BI_MCP_ACCESS_TOKEN")
    webhook_url = _secret(environment, "BI_MCP_WEBHOOK")
    _check_one_portal(portal_url, access_token, webhook_url)
    secrets_folder = environment.get("BI_MCP_SECRETS_DIR")
    workspace_folder = environment.get("BI_MCP_WORKSPACE")
    return Settings(
        portal_url=portal_url,
        configuration_folder=configuration_folder(environment),
        profiles=_names(environment.get("BI_MCP_PROFILE", "")),
        limits=_choice(environment, "BI_MCP_LIMITS", LIMITS, "standard"),
        access_token=access_token,
        webhook_url=webhook_url,
        embedded=embedded_portal_settings(environment),
        shown_settings=frozenset(_names(environment.get("BI_MCP_SHOW_SETTINGS", ""))),
        secrets_folder=Path(secrets_folder) if secrets_folder else None,
        workspace_folder=Path(workspace_folder) if workspace_folder else None,
        allow_literal_secrets=_switch(environment, "BI_MCP_ALLOW_LITERAL_SECRETS"),
        confirm=_choice(environment, "BI_MCP_CONFIRM", CONFIRMATIONS, "elicit"),
        read_only=_switch(environment, "BI_MCP_READ_ONLY"),
        language=language(environment),
        toolsets=_names(environment.get("BI_MCP_TOOLSETS", "")),
        history=_switch(environment, "BI_MCP_HISTORY", default="on"),
        audit_file=_audit_file(environment),
    )


def _check_one_portal(
    portal_url: str | None, access_token: Secret | None, webhook_url: Secret | None
) -> None:
    if access_token and webhook_url:
        raise ConfigError(
            say(
                "BI_MCP_ACCESS_TOKEN and BI_MCP_WEBHOOK are both set. Keep the access token: a webhook may only read *.fields."
            )
        )
    if portal_url and webhook_url:
        raise ConfigError(
            say(
                "BI_MCP_PORTAL_URL and BI_MCP_WEBHOOK are both set. A webhook's address names its portal already: leave out BI_MCP_PORTAL_URL."
            )
        )
    if portal_url and not access_token:
        raise ConfigError(say("BI_MCP_PORTAL_URL is set without a credential. Set BI_MCP_ACCESS_TOKEN too."))
    if access_token and not portal_url:
        raise ConfigError(
            say(
                "BI_MCP_ACCESS_TOKEN is set without a portal. Set BI_MCP_PORTAL_URL too, such as https://portal.example."
            )
        )


def _audit_file(environment: Mapping[str, str]) -> Path | None:
    chosen = environment.get("BI_MCP_AUDIT_FILE")
    if not chosen:
        return configuration_folder(environment) / "audit.jsonl"
    return None if chosen.lower() == "off" else Path(chosen).absolute()


def with_options(
    settings: Settings,
    *,
    show_settings: str | None = None,
    secrets_dir: str | None = None,
    allow_literal_secrets: bool = False,
    profiles: tuple[str, ...] = (),
    confirm: Confirmation | None = None,
    read_only: bool = False,
    toolsets: str | None = None,
    workspace: str | None = None,
) -> Settings:
    """Let the command line's options overrule the variables."""
    if profiles and (settings.portal_url or settings.webhook_url):
        raise ConfigError(
            say("--profile and a portal in BI_MCP_PORTAL_URL or BI_MCP_WEBHOOK exclude each other. Drop one.")
        )
    return replace(
        settings,
        profiles=profiles or settings.profiles,
        shown_settings=settings.shown_settings if show_settings is None else frozenset(_names(show_settings)),
        secrets_folder=Path(secrets_dir) if secrets_dir else settings.secrets_folder,
        allow_literal_secrets=allow_literal_secrets or settings.allow_literal_secrets,
        confirm=confirm or settings.confirm,
        read_only=read_only or settings.read_only,
        toolsets=settings.toolsets if toolsets is None else _names(toolsets),
        workspace_folder=Path(workspace) if workspace else settings.workspace_folder,
    )


def log_settings(
    form: LogFormat | None, level: LogLevel | None, environment: Mapping[str, str] = os.environ
) -> tuple[LogFormat, LogLevel]:
    """Read the form and level of logs: the options, else `BI_MCP_LOG_FORMAT` and `BI_MCP_LOG_LEVEL`."""
    return (
        form or _choice(environment, "BI_MCP_LOG_FORMAT", LOG_FORMATS, "text"),
        level or _choice(environment, "BI_MCP_LOG_LEVEL", LOG_LEVELS, "warning"),
    )


_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """Read the language of a server's texts for people: `BI_MCP_LANGUAGE`."""
    return _choice(environment, "BI_MCP_LANGUAGE", LANGUAGES, "en")


def language_in_terminal(environment: Mapping[str, str] = os.environ) -> Language:
    """Read the language of texts in a terminal: `BI_MCP_LANGUAGE`, or that of the system if it is known."""
    if environment.get("BI_MCP_LANGUAGE"):
        return language(environment)
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


def width_is_chosen(environment: Mapping[str, str] = os.environ) -> bool:
    """Check whether `COLUMNS` sets the width of the terminal."""
    return environment.get("COLUMNS", "").isdecimal()


def wants_no_colour(environment: Mapping[str, str] = os.environ) -> bool:
    """Check whether `NO_COLOR` is set, to anything. See https://no-color.org."""
    return bool(environment.get("NO_COLOR"))


def configuration_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of profiles and, without a keyring, tokens: `BI_MCP_CONFIG_DIR`, or the user's configuration folder."""
    chosen = environment.get("BI_MCP_CONFIG_DIR")
    if chosen:
        return Path(chosen).absolute()
    # Imported here: it is needed only where no folder was named.
    from platformdirs import user_config_path

    return user_config_path("bi-mcp", appauthor=False)


def chosen_configuration_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of `BI_MCP_CONFIG_DIR`, None without it: a client that starts bi-mcp does not know the variable."""
    return configuration_folder(environment) if environment.get("BI_MCP_CONFIG_DIR") else None


def programs_settings_folder(
    environment: Mapping[str, str] = os.environ, system: str = sys.platform, home: Path | None = None
) -> Path:
    """Return the folder in which desktop programs of a system (`linux`, `darwin`, `win32`) keep a user's settings."""
    home = home or Path.home()
    if system == "darwin":
        return home / "Library" / "Application Support"
    if system == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")


def sample_password(environment: Mapping[str, str] = os.environ) -> Secret | None:
    """Read the password of a sample connector on a port, None for the published one."""
    return _secret(environment, "BI_MCP_SAMPLE_PASSWORD")


def sample_culture(environment: Mapping[str, str] = os.environ) -> str | None:
    """Read the culture of the portal that calls a sample connector on a port: it settles slashed dates in filters."""
    return environment.get("BI_MCP_SAMPLE_CULTURE") or None


def _names(listed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in listed.split(",") if part.strip())


def secret_variable(name: str) -> Secret | None:
    """Read an environment variable that a source's setting refers to, None when it is not set."""
    # Spaces may belong to a password, the line end of `$(cat file)` or of a Windows file does not.
    value = os.environ.get(name, "").strip("\r\n")
    return Secret(value) if value else None


def secret_variables(prefix: str) -> list[Secret]:
    """Read all environment variables that a source's setting can refer to."""
    return [Secret(value) for name, value in os.environ.items() if name.startswith(prefix) and value.strip()]


def embedded_portal_settings(environment: Mapping[str, str] = os.environ) -> LocalPortalSettings:
    """Read the practice portal's settings, with a memory: without `BI_MCP_PORTAL_DB`, in the user's data folder."""
    return replace(
        local_portal_settings(environment),
        database=environment.get("BI_MCP_PORTAL_DB") or str(_default_database()),
    )


def _default_database() -> Path:
    # Imported here: it is needed only where no file was named.
    from platformdirs import user_data_path

    return user_data_path("bi-mcp", appauthor=False) / "portal.sqlite3"


def local_portal_settings(environment: Mapping[str, str] = os.environ) -> LocalPortalSettings:
    """Read the `BI_MCP_PORTAL_*` variables. Without `BI_MCP_PORTAL_DB` the portal lives in memory."""
    return LocalPortalSettings(
        database=environment.get("BI_MCP_PORTAL_DB") or ":memory:",
        generation=_choice(environment, "BI_MCP_PORTAL_GENERATION", GENERATIONS, "tables"),
        errors=_choice(environment, "BI_MCP_PORTAL_ERRORS", ERROR_PLACES, "result"),
        limits=_choice(environment, "BI_MCP_PORTAL_LIMITS", LIMITS, "off"),
        access_token=_secret(environment, "BI_MCP_PORTAL_ACCESS_TOKEN"),
        webhook=_secret(environment, "BI_MCP_PORTAL_WEBHOOK"),
        faults=_switch(environment, "BI_MCP_PORTAL_FAULTS"),
        culture=_choice(environment, "BI_MCP_PORTAL_CULTURE", CULTURES, "ru"),
    )


def _choice(
    environment: Mapping[str, str], name: str, allowed: tuple[Choice, ...], default: Choice
) -> Choice:
    value = environment.get(name) or default
    for choice in allowed:
        if value == choice:
            return choice
    raise ConfigError(
        say(
            "{name} must be one of {allowed}, not {value!r}.",
            name=name,
            allowed=", ".join(allowed),
            value=value,
        )
    )


def _switch(environment: Mapping[str, str], name: str, default: str = "off") -> bool:
    value = (environment.get(name) or default).lower()
    if value in {"on", "true", "1", "yes"}:
        return True
    if value in {"off", "false", "0", "no"}:
        return False
    raise ConfigError(say("{name} must be on or off, not {value!r}.", name=name, value=value))


def _text(environment: Mapping[str, str], name: str) -> str | None:
    """Read a value without the spaces and line ends that come with copying; None if nothing is left."""
    return environment.get(name, "").strip() or None


def _secret(environment: Mapping[str, str], name: str) -> Secret | None:
    """Read a token or password: the variable itself, or the file that `NAME_FILE` names, as is usual for containers."""
    value, path = _text(environment, name), _text(environment, f"{name}_FILE")
    if value and path:
        raise ConfigError(say("{name} and {other} are both set. Drop one.", name=name, other=f"{name}_FILE"))
    if path:
        return Secret(_file_text(f"{name}_FILE", Path(path)))
    return Secret(value) if value else None


def _file_text(variable: str, path: Path) -> str:
    try:
        # Reading a pipe or a device might never end.
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with path.open("rb") as file:
            content = file.read(_LARGEST_SECRET + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise ConfigError(
            say(
                "{variable} names a file that cannot be read ({reason}). Name a file that this user may read.",
                variable=variable,
                reason=reason,
            )
        ) from None
    try:
        value = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or len(content) > _LARGEST_SECRET:
        raise ConfigError(
            say(
                "{variable} names a file that holds no secret: it must be UTF-8 text, not empty, of at most {most} bytes.",
                variable=variable,
                most=_LARGEST_SECRET,
            )
        )
    return value
