"""Every operator of a filter on every kind of database: the rows are those that the sent values choose."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.databases.reading import DatabaseAnswer
from bi_mcp.connector.refusal import RefusalError
from tests.connector.databases.asking import a_database, a_query, rows_of
from tests.connector.databases.serving import DatabaseServer

CREATE = """CREATE TABLE t (
    id integer, n bigint, price decimal(10,2), ratio double precision, name varchar(40), day date, made {moment}
)"""
ROWS = [
    "1, 1, 1.50, 0.1, 'Apfel', '2024-05-30', '2024-05-30 10:00:00'",
    "2, 2, 2.50, 0.2, 'apfel', '2024-05-31', '2024-05-31 00:00:00'",
    "3, 3, -3.25, 1e10, 'ÄPFEL 50%', '2024-05-31', '2024-05-31 23:59:59.5'",
    "4, -9007199254740993, 10, -0.5, 'a_b|c\\d ', '2024-06-01', '2024-06-01 00:00:00'",
    "5, 0, 0, 0, '', '1899-12-31', '1899-12-31 12:00:00'",
    "6, NULL, NULL, NULL, NULL, NULL, NULL",
]
INDICES = [f"CREATE INDEX t_{name} ON t ({name})" for name in ("n", "price", "name", "day", "made")]
ALL = {1, 2, 3, 4, 5, 6}

CASES: Sequence[tuple[dict[str, object], set[int]]] = [
    ({}, ALL),
    ({"=N": ["2"]}, {2}),
    ({"N": "2"}, {2}),
    ({"@N": ["1", "3"]}, {1, 3}),
    ({"=N": ["-9007199254740993"]}, {4}),
    ({"=N": ["-9007199254740992"]}, set()),
    ({"=N": ["1.0"]}, {1}),
    ({"=N": ["1.5"]}, set()),
    ({"=N": ["1.5", "3"]}, {3}),
    ({"!=N": ["1.5"]}, ALL),
    ({"!=N": ["2", "3"]}, {1, 4, 5, 6}),
    ({">N": ["1.5"]}, {2, 3}),
    ({">N": ["1"]}, {2, 3}),
    ({">=N": ["1.5"]}, {2, 3}),
    ({"<N": ["1.5"]}, {1, 4, 5}),
    ({"<=N": ["1.5"]}, {1, 4, 5}),
    ({"<=N": ["-0.5"]}, {4}),
    ({">N": ["1", "2"]}, {2, 3}),
    ({"<N": ["1", "2"]}, {1, 4, 5}),
    ({"!>N": ["1"]}, {1, 4, 5, 6}),
    ({"><N": ["1", "2.5"]}, {1, 2}),
    ({"!><N": ["1", "2.5"]}, {3, 4, 5, 6}),
    ({"<N": "1e30"}, {1, 2, 3, 4, 5}),
    ({">N": "1e30"}, set()),
    ({"!>N": "1e30"}, ALL),
    ({"=N": "99999999999999999999999999"}, set()),
    ({"%N": ["3"]}, {3, 4}),
    ({"=N": ""}, {6}),
    ({"!=N": ""}, {1, 2, 3, 4, 5}),
    ({"0": {"=N": "0"}}, {6}),
    ({"=N": "0"}, {5}),
    ({"=PRICE": ["1.5"]}, {1}),
    ({"=PRICE": ["1.5", "2.50"]}, {1, 2}),
    ({">PRICE": "1.5"}, {2, 4}),
    ({"<=PRICE": "-3.25"}, {3}),
    ({"=RATIO": ["0.1"]}, {1}),
    ({"=RATIO": ["0.1", "0.2"]}, {1, 2}),
    ({">RATIO": "1e9"}, {3}),
    ({"!<RATIO": "0.2"}, {2, 3, 6}),
    ({"=NAME": ["Apfel"]}, {1}),
    ({"=NAME": ["Apfel", "apfel", "APFEL"]}, {1, 2}),
    ({"=NAME": ["a_b|c\\d"]}, set()),
    ({"=NAME": ["a_b|c\\d "]}, {4}),
    ({"!=NAME": ["apfel"]}, {1, 3, 4, 5, 6}),
    ({"=NAME": ""}, {5, 6}),
    ({"!=NAME": ""}, {1, 2, 3, 4}),
    ({"=NAME": [""]}, {5}),
    ({"%NAME": ["APFEL"]}, {1, 2}),
    ({"%NAME": ["äpfel"]}, {3}),
    ({"%NAME": ["%"]}, {3}),
    ({"%NAME": ["_"]}, {4}),
    ({"%NAME": ["|", "\\"]}, {4}),
    ({"%NAME": ["0%", "B|"]}, {3, 4}),
    ({"!%NAME": ["apfel"]}, {3, 4, 5, 6}),
    ({"=%NAME": ["a%L"]}, {1, 2}),
    ({"%=NAME": ["ä%"]}, {3}),
    ({"=%NAME": ["a_fel"]}, set()),
    ({"=%NAME": ["apfel"]}, {1, 2}),
    ({"!=%NAME": ["%pfel%"]}, {4, 5, 6}),
    ({">NAME": "z"}, {3}),
    ({"<=NAME": ["B"]}, {1, 5}),
    ({"=DAY": ["31.05.2024"]}, {2, 3}),
    ({"=DAY": ["31.05.2024", "01.06.2024"]}, {2, 3, 4}),
    ({"=DAY": ["31.05.2024 10:00:00"]}, set()),
    ({"!=DAY": ["31.05.2024"]}, {1, 4, 5, 6}),
    ({">=DAY": "31.05.2024", "<=DAY": "31.05.2024 23:59:59"}, {2, 3}),
    ({">DAY": "30.05.2024 12:00:00"}, {2, 3, 4}),
    ({">=DAY": "30.05.2024 12:00:00"}, {2, 3, 4}),
    ({"<DAY": "31.05.2024 00:00:01"}, {1, 2, 3, 5}),
    ({"<DAY": "31.05.2024"}, {1, 5}),
    ({"><DAY": ["30.05.2024", "31.05.2024"]}, {1, 2, 3}),
    ({"%DAY": ["2024-05"]}, {1, 2, 3}),
    ({"=DAY": ""}, {6}),
    ({"=MADE": ["31.05.2024 23:59:59"]}, {3}),
    ({"=MADE": ["31.05.2024 23:59:59", "30.05.2024 10:00:00"]}, {1, 3}),
    ({"=MADE": ["31.05.2024"]}, {2}),
    ({"<=MADE": "31.05.2024 23:59:59"}, {1, 2, 3, 5}),
    ({">MADE": "31.05.2024 23:59:59"}, {4}),
    ({"<MADE": "31.05.2024 23:59:59"}, {1, 2, 5}),
    ({"!>MADE": "31.05.2024 23:59:59"}, {1, 2, 3, 5, 6}),
    ({"><MADE": ["31.05.2024", "31.05.2024 23:59:59"]}, {2, 3}),
    ({"<=MADE": "31.12.9999 23:59:59"}, {1, 2, 3, 4, 5}),
    ({"%MADE": ["23:59"]}, {3}),
    ({"0": {"LOGIC": "OR", "0": {"=N": ["1"]}, "1": {"=NAME": ["apfel"]}}, "1": {">PRICE": "2"}}, {2}),
    ({"0": {"LOGIC": "OR"}}, ALL),
    ({"=N": [str(number) for number in range(2, 10_002)]}, {2, 3}),
    ({"=NAME": ["Apfel", *(f"x{number}" for number in range(10_000))]}, {1}),
    ({"=PRICE": [f"{number}.5" for number in range(10_000)]}, {1, 2}),
    ({"=MADE": [f"30.05.2024 {hour:02}:{minute:02}:00" for hour in range(24) for minute in range(60)]}, {1}),
    ({"=NAME": ["x' OR '1'='1"]}, set()),
]


def statements(moment: str) -> list[str]:
    return [CREATE.format(moment=moment), *(f"INSERT INTO t VALUES ({row})" for row in ROWS), *INDICES]  # noqa: S608  the rows above


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Secret:
    path: Path = tmp_path_factory.mktemp("operators") / "operators.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(statements("datetime")))
    return Secret(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def on_postgresql(postgresql: DatabaseServer) -> Secret:
    return postgresql.address(postgresql.new_database(*statements("timestamp")))


@pytest.fixture(scope="module")
def on_mariadb(mariadb: DatabaseServer) -> Secret:
    # A collation for which case, accents and blanks at the end do not count.
    create, *rest = statements("datetime(3)")
    rows = [statement.replace("\\", "\\\\") for statement in rest]
    return mariadb.address(
        mariadb.new_database(f"{create} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", *rows)
    )


@pytest.fixture(scope="module", params=["on_sqlite", "on_postgresql", "on_mariadb"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with closing(a_database(request.getfixturevalue(request.param))) as database:
        yield database


@pytest.mark.parametrize(("filter", "found"), CASES, ids=lambda value: str(value)[:60])
def test_an_operator_finds_its_rows(database: Database, filter: dict[str, object], found: set[int]) -> None:
    assert {row[0] for row in rows_of(database, "t", a_query(["ID"], filter))} == found


@pytest.mark.parametrize("number", ["1e-499999999", "1e-9999", "1e-401", "1e999", "0." + "1" * 400])
@pytest.mark.parametrize("operator", [">", "=", "!"])
def test_a_number_that_no_column_could_hold_is_refused(
    database: Database, operator: str, number: str
) -> None:
    for column in ("PRICE", "N", "RATIO"):
        with pytest.raises(RefusalError) as refusal:
            rows_of(database, "t", a_query(["ID"], {operator + column: [number]}))
        assert refusal.value.status == 400


def test_the_smallest_and_longest_numbers_are_compared(database: Database) -> None:
    for number in ("1e-400", "0." + "0" * 300 + "1"):
        assert rows_of(database, "t", a_query(["ID"], {"<PRICE": f"-{number}"})) == rows_of(
            database, "t", a_query(["ID"], {"<PRICE": "0"})
        )
    assert rows_of(database, "t", a_query(["ID"], {"=PRICE": ["1e308"]})) == []


def plan_of(database: Database, filter: dict[str, object], prefix: str) -> str:
    """The plan of the database for a question, with its bound values."""
    answer = database.rows("t", a_query(["ID"], filter))
    assert isinstance(answer, DatabaseAnswer)
    with database._connections.session() as session:
        if session.dialect.name == "postgresql":
            session.exec_driver_sql("SET LOCAL enable_seqscan = off")
        made = answer._plan.statement.compile(
            dialect=session.dialect, compile_kwargs={"render_postcompile": True}
        )
        assert isinstance(made, sa.sql.compiler.SQLCompiler)
        values: Any = made.params
        if made.positiontup is not None:
            values = tuple(values[name] for name in made.positiontup)
        rows = session.exec_driver_sql(f"{prefix} {made}", values).all()
    answer.close()
    return "\n".join(str(tuple(row)) for row in rows)


@pytest.mark.parametrize(
    "filter",
    [
        {"=N": ["2"]},
        {"=N": ["1", "2"]},
        {">N": "2.5"},
        {"=PRICE": ["1.5"]},
        {"=NAME": ["Apfel"]},
        {"=DAY": ["31.05.2024"]},
        {">=DAY": "31.05.2024", "<=DAY": "31.05.2024 23:59:59"},
        {"=MADE": ["31.05.2024 10:00:00"]},
        {"<=MADE": "31.05.2024 23:59:59"},
    ],
    ids=str,
)
def test_an_index_can_serve(on_postgresql: Secret, on_mariadb: Secret, filter: dict[str, object]) -> None:
    with closing(a_database(on_postgresql)) as database:
        assert "Index Cond" in plan_of(database, filter, "EXPLAIN")
    with closing(a_database(on_mariadb)) as database:
        name = next(iter(filter)).strip("<>=").lower()
        assert f"'t_{name}'" in plan_of(database, filter, "EXPLAIN")


@pytest.mark.parametrize(
    "filter", [{">=DAY": "31.05.2024"}, {"<=MADE": "31.05.2024 23:59:59"}, {"=N": ["2"]}], ids=str
)
def test_an_index_of_sqlite_can_serve(tmp_path: Path, filter: dict[str, object]) -> None:
    path = tmp_path / "indexed.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(row.replace(":59.5", ":59") for row in statements("datetime")))
    with closing(a_database(Secret(f"sqlite:///{path}"))) as database:
        name = next(iter(filter)).strip("<>=").lower()
        assert f"USING INDEX t_{name}" in plan_of(database, filter, "EXPLAIN QUERY PLAN")


def test_collations_that_ignore_case_do_not_count(
    postgresql: DatabaseServer, mariadb: DatabaseServer
) -> None:
    in_postgresql = postgresql.new_database(
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
        "CREATE TABLE t (id int, name text COLLATE ci)",
    )
    in_mariadb = mariadb.new_database(
        "CREATE TABLE t (id int, name varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci)"
    )
    for server, name in ((postgresql, in_postgresql), (mariadb, in_mariadb)):
        server.execute(name, "INSERT INTO t VALUES (1, 'Apfel'), (2, 'apfel'), (3, 'äpfel')")
        with closing(a_database(server.address(name))) as database:
            for filter, found in (
                ({"=NAME": ["apfel"]}, [[2]]),
                ({"=NAME": ["apfel", "Apfel", "😀"]}, [[1], [2]]),
                ({"=NAME": ["😀"]}, []),
                ({"%NAME": ["APF"]}, [[1], [2]]),
                ({"%NAME": ["ÄPF"]}, [[3]]),
                ({"%NAME": ["😀"]}, []),
                ({">NAME": ["apfel"]}, [[3]]),
            ):
                assert rows_of(database, "t", a_query(["ID"], filter)) == found, (server.dialect, filter)
