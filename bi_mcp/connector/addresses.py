"""Addresses of sources: `postgresql://bi@db.internal/shop`, or a path. The password is put into them last, and never shown."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import ConfigError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# As SQLAlchemy reads an address: a password ends at the first @, whatever it holds.
_AUTHORITY = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+://)"
    r"((?P<login>[^:/]*)(?P<colon>:(?P<password>[^@]*))?(?P<at>@))?(?P<host>[^/?]*)(?P<rest>.*)",
    re.DOTALL,
)
# What people write for an address without meaning a path: that of another library, or one with a character missing.
_MISSPELT = re.compile(
    r"jdbc:.*|:memory:|(postgres|postgresql|mysql|mariadb|sqlite|clickhouse|mssql|oracle|trino)(\+\w+)?:(?!//).*",
    re.IGNORECASE | re.DOTALL,
)
_DRIVER = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9.-]+)\+(?P<driver>[A-Za-z0-9_]+)://")
_PASSWORDS = ("password", "passwd")


def is_database(address: str) -> bool:
    """Check whether an address is a database's. Anything else is a path; a letter and a colon are one on Windows."""
    return bool(_SCHEME.match(address))


def refuse_misspelt(address: str) -> None:
    """Raise ConfigError for what is neither an address of a database nor meant as a path."""
    if not _MISSPELT.fullmatch(address):
        return
    if address.lower().startswith((":memory:", "sqlite", "jdbc:sqlite")):
        raise ConfigError(describe_sqlite_address())
    raise ConfigError(
        say(
            "This looks like the address of a database. Write it as {example}.",
            example="postgresql://login@host/database",
        )
    )


def describe_sqlite_address() -> str:
    return say(
        "A database of SQLite is a file, and its address has three slashes: {relative}; four when the path begins at the root: {absolute}.",
        relative="sqlite:///shop.sqlite3",
        absolute="sqlite:////srv/shop.sqlite3",
    )


def find_driver(address: str) -> tuple[str, str] | None:
    """Return the kind and the driver of an address that names one: `postgresql+asyncpg://` does."""
    found = _DRIVER.match(address)
    return (found["kind"], found["driver"]) if found else None


def takes_password(address: str) -> bool:
    return is_database(address) and not address.lower().startswith("sqlite")


def has_password(address: str) -> bool:
    found = _AUTHORITY.fullmatch(address)
    if found is None:
        return False
    given = parse_qs(found["rest"].partition("?")[2])
    return bool(found["colon"] or "@" in found["host"] or any(given.get(name) for name in _PASSWORDS))


def with_password(address: str, password: Secret | None) -> Secret:
    """Put a password into an address. Raises ConfigError if it has one, if it cannot have one, or if it can be misread."""
    _refuse_ambiguous(address)
    if password is None:
        return Secret(address)
    found = _AUTHORITY.fullmatch(address)
    if found is None or not takes_password(address):
        raise ConfigError(say("A password is given for files, which have none. Leave it out."))
    if has_password(address):
        raise ConfigError(
            say("A password is given, and the address holds another. Leave out the one in the address.")
        )
    written = quote(password.reveal(), safe="")
    return Secret(f"{found['scheme']}{found['login'] or ''}:{written}@{found['host']}{found['rest']}")


def _refuse_ambiguous(address: str) -> None:
    """Refuse what could be a part of the password as well as of the host or the path."""
    found = _AUTHORITY.fullmatch(address)
    if found and (re.search("[/?#]", found["password"] or "") or re.search("[@#]", found["host"])):
        raise ConfigError(
            say(
                "The address of a database looks like {example}. Characters such as @ : / in a password are written as %40 %3A %2F.",
                example="postgresql://login:password@host/database",
            )
        )


def show_address(address: str) -> str:
    """Write an address without a password and without what follows its path."""
    found = _AUTHORITY.fullmatch(address)
    if found is None:
        return address
    path = re.split(r"[?#]", found["rest"])[0]
    host = found["host"].rpartition("@")[2]
    return f"{found['scheme']}{found['login'] or ''}{found['at'] or ''}{host}{path}"


def find_host(address: str) -> str | None:
    """Return the host and port that an address connects to, None for one on this machine."""
    found = _AUTHORITY.fullmatch(address)
    return found["host"] or None if found else None
