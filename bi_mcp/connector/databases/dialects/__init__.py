"""What differs from database to database, a module for each: a declaration that the rest reads.

What becomes of the types, everywhere alike:

- Whole numbers are `int`; an unsigned BIGINT is sent to its end, 2^64-1, and filtered exactly to 2^63-1. Booleans and bits
  of MySQL are `int`, 1 and 0.
- Decimal numbers without a fraction and with at most 18 digits are `int`, with at most 15 digits `double`. Longer ones, and
  those without a declared length, are `double` and sent with all their digits, or `string` by the option `long_numbers`.
  Money of PostgreSQL counts as a number of 19 digits.
- A single is the shortest number with its bits: 0.1. NaN and infinities are null.
- Dates and moments are sent without fractions of a second; those with a zone in the zone of the portal. Zero dates,
  infinities, years before 1 and after 9999 are null; all others are sent as they are, those before 1900 too.
- Texts, enumerations and sets are `string`, and so is what has a text and no better type: times of day, intervals, UUID,
  JSON, XML, arrays, ranges, network addresses, bits of PostgreSQL, in the form that the database itself writes.
- Binary data, geometries, vectors and search indices are left out.

A value that is sent as null is missing to filters, too. Texts compare exactly and in the order of their code points.
"""

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
