"""Names and values that attack: whatever a table, a column or a value is called, only its own rows are found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bi_mcp.base.secret import Secret
from bi_mcp.connector.refusal import RefusalError
from tests.connector.databases.asking import a_database, a_query, rows_of
from tests.connector.databases.serving import DatabaseServer

ATTACKS = [
    "q\"u`o'te",
    "100%",
    "%s %(x)s %%",
    ":colon :1",
    "back\\slash\\",
    "semi; DROP TABLE victim; --",
    "a.b",
    "[x]",
    "Большие Буквы",
    "SELECT",
    " blank",
    "x' OR '1'='1",
    "{brace}",
    "$1",
    "?",
    "/* c */",
]
WORDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x4FF, exclude_categories=("Cs", "Cc"))
    | st.sampled_from("\"'`%:\\;[]()?$"),
    min_size=1,
    max_size=15,
).filter(lambda name: name.strip() == name and name != "0" and not name.startswith("sqlite_"))

Execute = Callable[[str], None]


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> tuple[Secret, Execute, str]:
    path: Path = tmp_path_factory.mktemp("names") / "names.sqlite"

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    execute("CREATE TABLE victim (x int)")
    return Secret(f"sqlite:///{path}"), execute, '"'


def on_server(server: DatabaseServer, quote: str) -> tuple[Secret, Execute, str]:
    name = server.new_database("CREATE TABLE victim (x int)")
    address = server.address(name)
    if server.dialect == "mariadb":
        server.execute(name, f"ALTER DATABASE {name} CHARACTER SET utf8mb4")

    def execute(statement: str) -> None:
        server.execute(name, statement)

    return address, execute, quote


@pytest.fixture(scope="module")
def on_postgresql(postgresql: DatabaseServer) -> tuple[Secret, Execute, str]:
    return on_server(postgresql, '"')


@pytest.fixture(scope="module")
def on_mariadb(mariadb: DatabaseServer) -> tuple[Secret, Execute, str]:
    return on_server(mariadb, "`")


@pytest.fixture(params=["on_sqlite", "on_postgresql", "on_mariadb"])
def place(request: pytest.FixtureRequest) -> tuple[Secret, Execute, str]:
    served: tuple[Secret, Execute, str] = request.getfixturevalue(request.param)
    return served


def attack(place: tuple[Secret, Execute, str], table: str, column: str, value: str) -> None:
    address, execute, quote = place

    def quoted(name: str) -> str:
        return quote + name.replace(quote, quote * 2) + quote

    def text(value: str) -> str:
        written = value.replace("'", "''")
        return "'" + (written.replace("\\", "\\\\") if quote == "`" else written) + "'"

    kind = "varchar(100) CHARACTER SET utf8mb4" if quote == "`" else "varchar(100)"
    execute(f"CREATE TABLE {quoted(table)} (id int, {quoted(column)} {kind})")
    try:
        execute(f"INSERT INTO {quoted(table)} VALUES (1, {text(value)}), (2, 'other'), (3, NULL)")  # noqa: S608  quoted above
        for spelling in ("legal", "original"):
            with closing(a_database(address, spelling=spelling)) as database:
                assert table in database.tables()
                code = next(c.code for c in database.columns(table) if c.identifier == column)
                identifier = database.columns(table)[0].code
                for filter in (
                    {f"={code}": [value]},
                    {f"={code}": [value, value + "x"]},
                    {f"%{code}": [value]},
                ):
                    assert rows_of(database, table, a_query([identifier, code], filter)) == [[1, value]], (
                        filter
                    )
                negated = a_query([identifier], {f"!={code}": [value]})
                assert rows_of(database, table, negated) == [[2], [3]]
                assert rows_of(database, table, a_query([identifier], {f"={code}": ""})) == [[3]]
                assert rows_of(database, "victim") == []
    finally:
        execute(f"DROP TABLE {quoted(table)}")


@pytest.mark.parametrize("name", ATTACKS)
def test_names_and_values_that_attack_are_only_names_and_values(
    place: tuple[Secret, Execute, str], name: str
) -> None:
    attack(place, f"{name}1", f"{name}2", name)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=WORDS, column=WORDS, value=WORDS.filter(lambda value: value.casefold() not in "other"))
def test_any_name_and_value_is_only_a_name_and_a_value(
    place: tuple[Secret, Execute, str], table: str, column: str, value: str
) -> None:
    # MariaDB compares names of columns without case.
    attack(place, f"t{table}", f"c{column}", value)


@pytest.mark.campaign("injection")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=WORDS, column=WORDS, value=WORDS.filter(lambda value: value.casefold() not in "other"))
def test_many_names_and_values_are_only_names_and_values(
    place: tuple[Secret, Execute, str], table: str, column: str, value: str
) -> None:
    attack(place, f"t{table}", f"c{column}", value)


def test_an_unknown_table_is_refused_whatever_it_is_called(place: tuple[Secret, Execute, str]) -> None:
    with closing(a_database(place[0])) as database:
        for name in (
            "nothing",
            "victim; DROP TABLE victim",
            "victim\0",
            "",
            "information_schema.tables",
            "mysql.user",
            "pg_catalog.pg_authid",
            "sqlite_master",
            "VICTIM" if place[2] == '"' else "no",
        ):
            for ask in (database.columns, lambda table: database.rows(table, a_query()), database.left_out):
                with pytest.raises(RefusalError) as refusal:
                    ask(name)
                assert refusal.value.status == 404
