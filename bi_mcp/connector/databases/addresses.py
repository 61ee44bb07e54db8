"""Addresses of databases. The scheme says which kind of database it is; the driver is ours."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.connector.addresses import describe_sqlite_address
from bi_mcp.connector.databases.dialects import DIALECTS
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.connector.databases.dialects.dialect import Dialect


# A name, or a number of either kind: not a list of hosts, a path of a socket, or anything with a login.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True)
class Target:
    """A database as an address names it. The URL holds the login, and hides the password when it is shown."""

    dialect: Dialect
    url: URL


def compose_address(
    kind: str, *, host: str, port: int | None, database: str, login: str, password: Secret
) -> Secret:
    """Make an address of its parts, as strangers send them: none can become another part, or an option of the driver.

    Raises ConfigError for a host that is none. Which hosts are allowed is decided before.
    """
    if kind not in DIALECTS or kind == "sqlite":
        raise _unknown_kind(kind)
    if not _HOST.fullmatch(host):
        raise ConfigError(
            say(
                "{host} is not a host. Give a name such as {name}, or an IP address.",
                host=repr(host[:80]),
                name="db.internal",
            )
        )
    bracketed = f"[{host}]" if ":" in host else host
    login_part = f"{quote(login, safe='')}:{quote(password.reveal(), safe='')}@" if login else ""
    port_part = f":{port}" if port else ""
    return Secret(f"{kind}://{login_part}{bracketed}{port_part}/{quote(database, safe='')}")


def parse_address(address: Secret) -> Target:
    """Read an address. Raises ConfigError, which repeats nothing of it but the scheme."""
    try:
        url = make_url(address.reveal().strip())
    except (ArgumentError, ValueError):
        if address.reveal().strip().lower().startswith("sqlite:"):
            raise ConfigError(describe_sqlite_address()) from None
        raise ConfigError(
            say(
                "The address of a database looks like {example}. Characters such as @ : / in a password are written as %40 %3A %2F.",
                example="postgresql://login:password@host/database",
            )
        ) from None
    scheme = url.drivername.partition("+")[0].lower()
    dialect = DIALECTS.get(scheme)
    if dialect is None:
        raise _unknown_kind(scheme)
    if importlib.util.find_spec(dialect.module) is None:
        raise ConfigError(
            say(
                "The driver for {scheme} is not installed. Install it: {uv}, or {pip}",
                scheme=scheme,
                uv=f"uv tool install 'bitrix24-bi-mcp[{dialect.extra}]'",
                pip=f"pip install 'bitrix24-bi-mcp[{dialect.extra}]'",
            )
        )
    if dialect.name == "sqlite":
        return Target(dialect, dialect.locate(_file_url(url).set(drivername=dialect.engine)))
    # Those who copy an address of the web leave a slash at its end.
    database = (url.database or "").rstrip("/") or None
    return Target(dialect, dialect.locate(url.set(drivername=dialect.engine, database=database)))


def _file_url(url: URL) -> URL:
    if url.host is not None or url.username is not None or url.database in {None, "", ":memory:"}:
        raise ConfigError(describe_sqlite_address())
    return url


def _unknown_kind(scheme: str) -> ConfigError:
    return ConfigError(
        say(
            "{scheme} is not a kind of database that the connector knows. Use one of {kinds}.",
            scheme=repr(scheme[:40]),
            kinds=", ".join(sorted(DIALECTS)),
        )
    )
