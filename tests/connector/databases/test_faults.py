"""What becomes of an answer when something goes wrong, on real servers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.databases.database import Database
from bi_mcp.connector.refusal import RefusalError, SourceError
from bi_mcp.connector.source import Answer
from tests.connector.databases.asking import a_database, a_query, rows_of
from tests.connector.databases.serving import DatabaseServer

# A million rows, and a view that takes for ever before its first.
TABLES = {
    "postgresql": (
        "CREATE TABLE many AS SELECT i AS id, repeat('x', 100) AS filler FROM generate_series(1, 200000) i",
        "CREATE VIEW slow AS SELECT CAST(1 AS int) AS id FROM pg_sleep(300)",
    ),
    "mariadb": (
        "CREATE TABLE many AS SELECT seq AS id, repeat('x', 100) AS filler FROM seq_1_to_200000",
        "CREATE TABLE one (id int)",
        "INSERT INTO one VALUES (1)",
        "CREATE VIEW slow AS SELECT id + SLEEP(300) AS id FROM one",
    ),
}
SQLITE = """
CREATE TABLE many AS
WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 200000)
SELECT id, hex(zeroblob(50)) AS filler FROM n;
CREATE TABLE few (id INTEGER);
CREATE VIEW forever AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT count(id) AS id FROM n;
"""


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faults") / "faults.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQLITE)
    return path


@pytest.fixture(scope="session")
def addresses() -> dict[str, Secret]:
    return {}


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def address(request: pytest.FixtureRequest, addresses: dict[str, Secret]) -> Secret:
    if request.param == "sqlite":
        return Secret(f"sqlite:///{request.getfixturevalue('sqlite_file')}")
    return served(request, addresses)


@pytest.fixture
def database(address: Secret) -> Iterator[Database]:
    database = a_database(address, connections=2)
    yield database
    database.close()


@pytest.fixture(params=["postgresql", "mariadb"])
def slow(request: pytest.FixtureRequest, addresses: dict[str, Secret]) -> Secret:
    return served(request, addresses)


def served(request: pytest.FixtureRequest, addresses: dict[str, Secret]) -> Secret:
    kind: str = request.param
    if kind not in addresses:
        server: DatabaseServer = request.getfixturevalue(kind)
        addresses[kind] = server.address(server.new_database(*TABLES[kind]))
    return addresses[kind]


def refused(answer: Answer) -> RefusalError:
    with pytest.raises(RefusalError) as refusal:
        for _ in answer.chunks():
            pass
    answer.close()
    return refusal.value


def test_rows_come_in_chunks(database: Database) -> None:
    answer = database.rows("many", a_query())
    sizes = [len(chunk) for chunk in answer.chunks()]
    assert sum(sizes) == 200000
    assert max(sizes) <= 1000


def test_an_answer_can_be_left_in_the_middle(database: Database) -> None:
    for _ in range(5):
        answer = database.rows("many", a_query())
        assert next(iter(answer.chunks()))
        answer.close()
    assert len(rows_of(database, "many", a_query(limit=3))) == 3


def test_an_answer_that_was_never_read_holds_nothing(database: Database) -> None:
    for _ in range(5):
        database.rows("many", a_query()).close()
    assert len(rows_of(database, "many", a_query(limit=3))) == 3


def test_a_cancelled_answer_breaks_off(database: Database) -> None:
    answer = database.rows("many", a_query())
    chunks = iter(answer.chunks())
    assert next(chunks)
    answer.cancel()
    with pytest.raises(SourceError, match="cancelled"):
        list(chunks)
    answer.cancel()
    assert len(rows_of(database, "many", a_query(limit=3))) == 3


def test_an_answer_cancelled_before_it_began_asks_nothing(database: Database) -> None:
    answer = database.rows("many", a_query())
    answer.cancel()
    assert "cancelled" in str(refused(answer))


def test_a_query_is_cancelled_while_it_runs(slow: Secret) -> None:
    with closing(a_database(slow)) as database:
        answer = database.rows("slow", a_query())
        found: list[RefusalError] = []
        reader = threading.Thread(target=lambda: found.append(refused(answer)))
        reader.start()
        while reader.is_alive() and not found:
            # It may not have begun.
            answer.cancel()
            reader.join(0.05)
        assert "cancelled" in str(found[0])


def test_a_query_that_takes_too_long_is_stopped(slow: Secret) -> None:
    with closing(a_database(slow, timeout=0.2)) as database:
        refusal = refused(database.rows("slow", a_query()))
        assert refusal.status == 504
        assert "longer than 0.2 seconds" in str(refusal)


def test_a_query_of_sqlite_that_takes_too_long_is_stopped(sqlite_file: Path) -> None:
    with closing(a_database(Secret(f"sqlite:///{sqlite_file}"), timeout=0.05)) as database:
        patterns = [f"%x{number}%" for number in range(3000)]
        with pytest.raises(SourceError) as refusal:
            rows_of(database, "many", a_query(filter={"=%FILLER": patterns}))
        assert refusal.value.status == 504


def test_a_question_about_columns_that_takes_too_long_is_stopped(sqlite_file: Path) -> None:
    with closing(a_database(Secret(f"sqlite:///{sqlite_file}"), timeout=0.05)) as database:
        with pytest.raises(SourceError) as refusal:
            database.columns("forever")
        assert refusal.value.status == 504
        assert "longer than 0.05 seconds" in str(refusal.value)
        database.check()


def test_closing_a_source_ends_what_it_is_asked(sqlite_file: Path, slow: Secret) -> None:
    questions: list[tuple[Secret, Callable[[Database], object]]] = [
        (Secret(f"sqlite:///{sqlite_file}"), lambda database: database.columns("forever")),
        (slow, lambda database: rows_of(database, "slow")),
    ]
    for address, ask in questions:
        database = a_database(address)
        asked = threading.Event()
        found: list[RefusalError] = []
        reader = threading.Thread(target=lambda ask=ask: found.append(asking(ask, database, asked)))  # noqa: B023
        reader.start()
        assert asked.wait(10)
        database.close()
        reader.join(10)
        assert found[0].status == 503
        with pytest.raises(SourceError, match="being stopped"):
            database.check()


def asking(ask: Callable[[Database], object], database: Database, asked: threading.Event) -> RefusalError:
    asked.set()
    with pytest.raises(RefusalError) as refusal:
        ask(database)
    return refusal.value


def test_all_connections_taken_is_a_busy_database(
    addresses: dict[str, Secret], postgresql: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.connector.databases.engine.POOL_WAIT", 0.05)
    address = postgresql.address(postgresql.new_database(*TABLES["postgresql"]))
    with closing(a_database(address, connections=1)) as database:
        held: list[tuple[Answer, Any]] = []
        for _ in range(3):
            answer = database.rows("many", a_query())
            chunks = iter(answer.chunks())
            assert next(chunks)
            held.append((answer, chunks))
        assert refused(database.rows("many", a_query())).status == 503
        for answer, _ in held:
            answer.close()
        assert len(rows_of(database, "many", a_query(limit=3))) == 3


@pytest.mark.parametrize(
    "statement", ["INSERT INTO many VALUES (1, 'x')", "DROP TABLE many", "CREATE TABLE n (x int)"]
)
def test_nothing_can_be_written(database: Database, statement: str) -> None:
    with pytest.raises(SourceError), database._connections.session() as session:
        session.exec_driver_sql(statement)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_killed_in_the_middle_breaks_the_answer_and_heals(
    kind: str, request: pytest.FixtureRequest
) -> None:
    server: DatabaseServer = request.getfixturevalue(kind)
    address = server.address(server.new_database(*TABLES[kind]))
    with closing(a_database(address)) as database:
        answer = database.rows("many", a_query())
        chunks = iter(answer.chunks())
        assert next(chunks)
        with server.killed():
            with pytest.raises(SourceError) as broken:
                list(chunks)
            assert broken.value.status == 502
            assert broken.value.cause
            with pytest.raises(SourceError):
                database.check()
        assert len(rows_of(database, "many", a_query(limit=3))) == 3


def test_a_database_that_is_not_there_is_named_without_its_login() -> None:
    with closing(a_database(Secret("postgresql://bi:s3cr3t-word@127.0.0.1:1/shop"))) as database:
        with pytest.raises(SourceError) as refusal:
            database.check()
        assert refusal.value.status == 502
        assert "s3cr3t" not in str(refusal.value) + refusal.value.cause + repr(refusal.value)
        assert "127.0.0.1" not in str(refusal.value)


def test_a_wrong_password_is_not_shown(postgresql: DatabaseServer, mariadb: DatabaseServer) -> None:
    for server in (postgresql, mariadb):
        address = f"{server.dialect}://bi:not-the-word@127.0.0.1:{server.port}/x"
        with closing(a_database(Secret(address))) as database:
            with pytest.raises(SourceError) as refusal:
                database.check()
            assert "not-the-word" not in str(refusal.value) + refusal.value.cause


def test_a_file_that_is_missing_or_no_database_is_not_made_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("id;name\n" * 100)
    for name in ("missing.sqlite", "text.sqlite"):
        with closing(a_database(Secret(f"sqlite:///{tmp_path / name}"))) as database:
            with pytest.raises(SourceError) as refusal:
                database.tables()
            assert refusal.value.status == 502
            assert str(tmp_path) not in str(refusal.value)
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_file_with_an_odd_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "50% off #1.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id integer)")
    with closing(a_database(Secret(f"sqlite:///{path}"))) as database:
        assert list(database.tables()) == ["t"]


def test_compiled_statements_are_not_kept(database: Database) -> None:
    rows_of(database, "many", a_query(filter={"=%FILLER": ["y", "z"]}))
    assert database._connections._engine._compiled_cache is None
