"""The goals of the connector, each measured in one run with what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.connector.process import Download, Running, by_hand, running, time_of
from benchmarks.connector.tables import ROWS, SELECTED, STATUSES, TABLE, make_database, write_csv
from benchmarks.outcome import Outcome
from bi_mcp.base.secret import Secret
from tests.conftest import find_program
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer, serving

ROUNDS = 3
EVERYTHING = f"SELECT * FROM {TABLE}"  # noqa: S608 - made here
FILTERED = f"SELECT {', '.join(SELECTED)} FROM {TABLE} WHERE status IN {STATUSES}"  # noqa: S608 - made here
# At least 0.6 of the rows a second are at most this share of the time.
SPEED = 1 / 0.6
PROGRAMS = {"postgresql": "postgres", "mariadb": "mariadbd"}


@contextmanager
def served(kind: str) -> Iterator[tuple[DatabaseServer, str, Running]]:
    with serving(PROGRAMS[kind]) as server:
        database = make_database(server)
        with running(server.address(database)) as connector:
            # The first answer makes the connection and reads the catalogue.
            connector.read(TABLE, limit="10")
            yield server, database, connector


@cache
def measure_database(kind: str) -> dict[str, Outcome]:
    """Read the whole table, part of it, and four times at once."""
    with served(kind) as (server, database, connector):
        hand, ours, copies = [], list[Download](), []
        for _ in range(ROUNDS):
            hand.append(by_hand(kind, server.port, database, EVERYTHING))
            before = connector.cpu_seconds
            ours.append(connector.read(TABLE))
            cpu = connector.cpu_seconds - before
            copies += [_copy(server, database, EVERYTHING)] if kind == "postgresql" else []
        alone = connector.peak_megabytes
        chart, own = _measure_chart(server, database, connector)
        connector.read_at_once(TABLE, 4)
        four = connector.peak_megabytes
    seconds = median(each.seconds for each in ours)
    speed = {
        "ours, rows a second": ROWS / seconds,
        "by hand, rows a second": ROWS / median(hand),
        "ours, rows a CPU second": ROWS / cpu,
        **({"COPY, rows a second": ROWS / median(copies)} if copies else {}),
    }
    return {
        "speed": Outcome(
            f"{ROWS:,} rows of 12 columns from {kind}, time ours / by hand",
            seconds / median(hand),
            SPEED,
            "ratio",
            speed,
        ),
        "first byte": Outcome(
            f"first byte of them from {kind}", max(each.first for each in ours), 0.5, "seconds"
        ),
        "memory": Outcome(f"peak memory for them from {kind}", alone, 120, "MB"),
        "four": Outcome(f"peak memory for four at once from {kind}", four, 200, "MB"),
        "chart": Outcome(
            f"a chart of a fifth of them, 3 columns, from {kind}, time ours / the database's",
            min(chart) / min(own),
            1.3,
            "ratio",
            {"ours, s": min(chart), "the database's own client, s": min(own)},
        ),
    }


def _measure_chart(
    server: DatabaseServer, database: str, connector: Running
) -> tuple[list[float], list[float]]:
    asked = [("table", TABLE), *((f"select[{at}]", name.upper()) for at, name in enumerate(SELECTED))]
    asked += [(f"filter[0][0][=STATUS][{at}]", status) for at, status in enumerate(STATUSES)]
    chart, own = [], []
    for _ in range(ROUNDS * 2):
        own.append(_by_client(server, database, FILTERED))
        chart.append(connector.download("/data", asked).seconds)
    return chart, own


def _by_client(server: DatabaseServer, database: str, query: str) -> float:
    """Seconds of the database's own client for a query."""
    if server.dialect == "postgresql":
        address = f"postgresql://{USER}@127.0.0.1:{server.port}/{database}"
        command = [find_program("psql") or "psql", address, "-qAtc", query]
        return time_of(command, {"PGPASSWORD": PASSWORD})
    command = [
        find_program("mariadb") or "mariadb",
        "-h127.0.0.1",
        f"-P{server.port}",
        f"-u{USER}",
        "--quick",
        "-N",
        database,
        "-e",
        query,
    ]
    return time_of(command, {"MYSQL_PWD": PASSWORD})


def _copy(server: DatabaseServer, database: str, query: str) -> float:
    return _by_client(server, database, f"COPY ({query}) TO STDOUT")


def measure_wide_memory() -> Outcome:
    """Read rows of 4 KB."""
    with served("postgresql") as (_, _, connector):
        connector.read("wide")
        return Outcome(
            "peak memory for 200,000 rows of 4 KB from postgresql", connector.peak_megabytes, 120, "MB"
        )


def measure_many_memory() -> Outcome:
    """Read ten million rows. Takes minutes."""
    with served("postgresql") as (_, _, connector):
        connector.read("many")
        return Outcome("peak memory for 10,000,000 rows from postgresql", connector.peak_megabytes, 120, "MB")


@cache
def measure_csv() -> dict[str, Outcome]:
    """Start over a folder with a large file, until the first rows are there."""
    with TemporaryDirectory() as folder:
        write_csv(Path(folder))
        with running(Secret(folder)) as connector:
            connector.download("/tables", [])
            first = connector.read(TABLE, limit="100")
            ready, peak = connector.cpu_seconds, connector.peak_megabytes
            whole = connector.read(TABLE)
            details = {
                "to the first rows, s": first.seconds,
                "all rows, s": whole.seconds,
                "peak with all rows, MB": connector.peak_megabytes,
            }
    return {
        "cpu": Outcome("a CSV file of 1,000,000 rows ready", ready, 10, "CPU seconds", details),
        "memory": Outcome("peak memory of it", peak, 150, "MB"),
    }
