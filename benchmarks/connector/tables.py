"""Tables to read from, of any number of rows."""

from __future__ import annotations

from pathlib import Path

from tests.connector.databases.serving import DatabaseServer

TABLE = "orders"
ROWS = 2_000_000
# Of ten statuses a chart asks for two.
STATUSES = ("s0", "s1")
SELECTED = ("customer", "total", "day")

_COLUMNS = {
    "postgresql": (
        "g AS id, 'N-' || g AS number, 'customer ' || g % 5000 AS customer, 'city ' || g % 300 AS city, 's' || g % 10 AS status, "
        "(g % 97)::int AS quantity, (g % 100000 / 100.0)::numeric(10,2) AS price, g * 0.37::double precision AS total, "
        "g % 2 = 0 AS paid, date '2020-01-01' + (g % 1800)::int AS day, timestamp '2020-01-01' + g % 157000000 * interval '1 s' AS moment, "
        "CASE WHEN g % 3 = 0 THEN 'a note of some words' END AS note"
    ),
    "mariadb": (
        "g AS id, concat('N-', g) AS number, concat('customer ', g % 5000) AS customer, concat('city ', g % 300) AS city, concat('s', g % 10) AS status, "
        "g % 97 AS quantity, cast(g % 100000 / 100.0 AS decimal(10,2)) AS price, cast(g * 0.37 AS double) AS total, "
        "g % 2 = 0 AS paid, date_add('2020-01-01', INTERVAL g % 1800 DAY) AS day, timestamp(date_add('2020-01-01', INTERVAL g % 157000000 SECOND)) AS moment, "
        "if(g % 3 = 0, 'a note of some words', NULL) AS note"
    ),
}


def make_database(server: DatabaseServer, rows: int = ROWS) -> str:
    """Make a database with the table, and in PostgreSQL with views of wide and of very many rows that no disk holds."""
    if server.dialect == "mariadb":
        digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
        numbers = ", ".join(f"{digits} d{place}" for place in range(7))
        sum_ = " + ".join(f"d{place}.d * {10**place}" for place in range(7))
        return server.new_database(
            f"CREATE TABLE {TABLE} AS SELECT {_COLUMNS['mariadb']} FROM (SELECT 1 + {sum_} AS g FROM {numbers} LIMIT {rows}) n"  # noqa: S608 - made here
        )
    return server.new_database(
        f"CREATE TABLE {TABLE} AS SELECT {_COLUMNS['postgresql']} FROM generate_series(1, {rows}) g",  # noqa: S608 - made here
        f"VACUUM ANALYZE {TABLE}",
        "CREATE VIEW wide AS SELECT g AS id, repeat(chr(65 + g % 26), 4000) AS text FROM generate_series(1, 200000) g",
        f"CREATE VIEW many AS SELECT {_COLUMNS['postgresql']} FROM generate_series(1, 10000000) g",  # noqa: S608 - made here
    )


def write_csv(folder: Path, rows: int = 1_000_000) -> None:
    """Write a file of twelve columns."""
    with (folder / f"{TABLE}.csv").open("w", encoding="utf-8") as file:
        file.write("id,number,customer,city,status,quantity,price,total,paid,day,moment,note\n")
        for g in range(1, rows + 1):
            day, minute = f"20{20 + g % 5}-{1 + g % 12:02}-{1 + g % 28:02}", g % 1440
            file.write(
                f"{g},N-{g},customer {g % 5000},city {g % 300},s{g % 10},{g % 97},{g % 100000 / 100:.2f},{g * 0.37:.2f},"
                f"{g % 2},{day},{day} {minute // 60:02}:{minute % 60:02}:00,{'a note of some words' if g % 3 == 0 else ''}\n"
            )
