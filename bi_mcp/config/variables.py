"""Declarations of settings, each with its variable, reader and default; and the readers of variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any, TypeVar

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.base.whole_file import read_regular
from bi_mcp.errors import ConfigError

Environment = Mapping[str, str]
Value = TypeVar("Value")
# Reads the variable of a name; None if it is not set or empty.
Reader = Callable[[str, Environment], Value | None]

_LARGEST_SECRET = 64 * 1024


def variable(name: str, read: Reader[Value], default: Value) -> Value:
    """Declare a setting: its variable, the reader of it, and the value without it."""
    return field(default=default, metadata={"name": name, "read": read})


def read_declared(kind: type[Any], environment: Environment) -> dict[str, Any]:
    """Read the declared settings of a class whose variables are set."""
    declared = [setting for setting in fields(kind) if setting.metadata]
    values = {s.name: s.metadata["read"](s.metadata["name"], environment) for s in declared}
    return {name: value for name, value in values.items() if value is not None}


def read_raw(name: str, environment: Environment) -> str | None:
    return environment.get(name) or None


def read_plain(name: str, environment: Environment) -> str | None:
    """Read a value without the spaces and line ends that come with copying; None if nothing is left."""
    return environment.get(name, "").strip() or None


def read_path(name: str, environment: Environment) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None


def read_names(name: str, environment: Environment) -> tuple[str, ...]:
    return tuple(part.strip() for part in environment.get(name, "").split(",") if part.strip())


def read_ids(name: str, environment: Environment) -> frozenset[int]:
    """Read ids such as `1, 12`."""
    ids = read_names(name, environment)
    if not all(id.isascii() and id.isdecimal() for id in ids):
        raise ConfigError(
            say("{name} must be ids of the portal, separated by commas, such as 1,12.", name=name)
        )
    return frozenset(map(int, ids))


def read_switch(name: str, environment: Environment) -> bool | None:
    value = environment.get(name, "").lower()
    if value in {"on", "true", "1", "yes"}:
        return True
    if value in {"off", "false", "0", "no"}:
        return False
    if not value:
        return None
    raise ConfigError(say("{name} must be on or off, not {value!r}.", name=name, value=value))


def read_choice(allowed: tuple[Value, ...]) -> Reader[Value]:
    def read(name: str, environment: Environment) -> Value | None:
        value = environment.get(name)
        if not value:
            return None
        for choice in allowed:
            if value == choice:
                return choice
        raise ConfigError(
            say(
                "{name} must be one of {allowed}, not {value!r}.",
                name=name,
                allowed=", ".join(map(str, allowed)),
                value=value,
            )
        )

    return read


def read_secret(name: str, environment: Environment) -> Secret | None:
    """Read a token or password: the variable itself, or the file that `NAME_FILE` names, as is usual for containers."""
    value, path = read_plain(name, environment), read_plain(f"{name}_FILE", environment)
    if value and path:
        raise ConfigError(say("{name} and {other} are both set. Drop one.", name=name, other=f"{name}_FILE"))
    if path:
        return Secret(read_file(f"{name}_FILE", Path(path)))
    return Secret(value) if value else None


def read_file(variable: str, path: Path) -> str:
    """Read the secret of a file, without the spaces and line ends around it. `variable` named the file."""
    try:
        content = read_regular(path, _LARGEST_SECRET + 1)
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
                "{variable} names a file that does not hold a secret: it must be UTF-8 text, not empty, of at most {most} bytes.",
                variable=variable,
                most=_LARGEST_SECRET,
            )
        )
    return value
