"""What a person writes by hand: rows of a query by the driver, in a stream, to standard output as JSON by orjson.

Usage: by_hand.py postgresql|mariadb PORT DATABASE QUERY
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import orjson

from tests.connector.databases.serving import PASSWORD, USER

CHUNK = 2000


@contextmanager
def cursor(kind: str, port: int, database: str) -> Iterator[Any]:
    """Open a cursor that stays with the server."""
    if kind == "postgresql":
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname=database
        ) as connection:
            yield connection.cursor("by_hand")
        return
    import pymysql
    from pymysql.cursors import SSCursor

    opened = pymysql.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=database, cursorclass=SSCursor
    )
    with closing(opened):
        yield opened.cursor()


def write(rows: Sequence[Any]) -> None:
    # Decimals are all that orjson does not know.
    sys.stdout.buffer.write(orjson.dumps(rows, default=float)[1:-1])
    sys.stdout.buffer.write(b",\n")


def main(kind: str, port: str, database: str, query: str) -> None:
    with cursor(kind, int(port), database) as opened:
        opened.execute(query)
        while rows := opened.fetchmany(CHUNK):
            write(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
