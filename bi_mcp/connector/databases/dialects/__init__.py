"""What differs from database to database, a module for each: a declaration that the rest reads."""

from __future__ import annotations

from collections.abc import Mapping

from bi_mcp.connector.databases.dialects.clickhouse import CLICKHOUSE
from bi_mcp.connector.databases.dialects.dialect import Dialect
from bi_mcp.connector.databases.dialects.mssql import MSSQL
from bi_mcp.connector.databases.dialects.mysql import MYSQL
from bi_mcp.connector.databases.dialects.oracle import ORACLE
from bi_mcp.connector.databases.dialects.postgresql import POSTGRESQL
from bi_mcp.connector.databases.dialects.sqlite import SQLITE
from bi_mcp.connector.databases.dialects.trino import TRINO

# By the scheme of an address.
DIALECTS: Mapping[str, Dialect] = {
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "sqlite": SQLITE,
    "clickhouse": CLICKHOUSE,
    "mssql": MSSQL,
    "oracle": ORACLE,
    "trino": TRINO,
}
