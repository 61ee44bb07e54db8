"""Databases as sources: PostgreSQL, MySQL and MariaDB, SQLite, ClickHouse, SQL Server, Oracle and Trino."""

from __future__ import annotations

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.addresses import parse_address
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.options import SourceOptions


def open_database(address: Secret, options: SourceOptions) -> Database:
    """Open a database by its address, such as `postgresql://login:password@host/database`.

    Nothing is connected to before the first question. Raises ConfigError for an address that is none, and for a missing
    driver.
    """
    return Database(parse_address(address), options)
