"""Addresses of databases. The scheme says which kind of database it is; the driver is ours."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bi_mcp.base.language import say
from bi_mcp.connector.databases.dialects import DIALECTS
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.connector.databases.dialects.dialect import Dialect


@dataclass(frozen=True)
class Target:
    """A database as an address names it. The URL holds the login, and hides the password when it is shown."""

    dialect: Dialect
    url: URL


def parse_address(address: Secret) -> Target:
    """Read an address. Raises ConfigError, which repeats nothing of it but the scheme."""
    try:
        url = make_url(address.reveal().strip())
    except (ArgumentError, ValueError):
        raise ConfigError(
            say(
                "The address of a database looks like {example}. Characters such as @ : / in a password are written as %40 %3A %2F.",
                example="postgresql://login:password@host/database",
            )
        ) from None
    scheme = url.drivername.partition("+")[0].lower()
    dialect = DIALECTS.get(scheme)
    if dialect is None:
        raise ConfigError(
            say(
                "{scheme} is not a kind of database that the connector knows. It knows {kinds}.",
                scheme=repr(scheme[:40]),
                kinds=", ".join(sorted(DIALECTS)),
            )
        )
    if importlib.util.find_spec(dialect.module) is None:
        raise ConfigError(
            say(
                "The driver for {scheme} is not installed. Install it: {command}",
                scheme=scheme,
                command=f"pip install 'bitrix24-bi-mcp[{dialect.extra}]'",
            )
        )
    return Target(dialect, dialect.locate(url.set(drivername=dialect.engine)))
