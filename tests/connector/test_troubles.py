"""What a person is told of a source that cannot be asked: one sentence, and what to do."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bi_mcp.base.secret import Secret
from bi_mcp.cli import main
from bi_mcp.connector.databases.dialects import DIALECTS
from bi_mcp.connector.databases.failures import Failures
from bi_mcp.connector.refusal import SourceError
from bi_mcp.diagnostics.connector import chart_check, source_check
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer

VARIABLE = "BI_MCP_CONNECTOR_PASSWORD_MY_SHOP"


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    running: DatabaseServer = request.getfixturevalue(request.param)
    return running


def run(command: str, *words: str) -> Result:
    url = ("--url", "https://bi.example.com") if command == "setup" else ()
    return CliRunner().invoke(main, ["connector", command, *url, *words])


@pytest.mark.parametrize(
    ("place", "password", "said"),
    [
        (
            "{server}/mysql",
            "not-the-word",
            f"Correct the login in the address, or the password in {VARIABLE}.",
        ),
        ("{server}/mysql", None, f"wants a password, and none is given. Set {VARIABLE}."),
        ("{server}/nothing", PASSWORD, "There is no such database on this host."),
        ("127.0.0.1:1/x", PASSWORD, "Nothing answers at this host and port."),
        ("nowhere.invalid/x", PASSWORD, "There is no host of this name."),
    ],
)
def test_why_a_database_cannot_be_asked_is_one_sentence(
    server: DatabaseServer, place: str, password: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if password:
        monkeypatch.setenv(VARIABLE, password)
    address = f"{server.dialect}://{USER}@{place.format(server=f'127.0.0.1:{server.port}')}"
    checked = run("check", "--source", f"my-shop={address}")
    assert checked.exit_code == 1
    assert checked.output.count(said) == 1
    assert len(checked.output.splitlines()) == 1
    written = run("setup", "--source", f"my-shop={address}")
    assert written.exit_code == 1
    assert said in written.stderr
    for told in (checked.output, written.output):
        assert "It says: " in told
        for strange in ("connector.localhost", "POST", "Error:", "b'", "Traceback", "not-the-word", PASSWORD):
            assert strange not in told.removeprefix("Error:")


def test_a_reason_is_one_line_without_marks_of_its_driver() -> None:
    nested = Exception((20009, b"DB-Lib error message 20009:\nUnable to connect to s3cr3t" + b"." * 300))
    failures = Failures(DIALECTS["mssql"], 1, (Secret("s3cr3t"),))
    with pytest.raises(SourceError) as refused, failures.worded():
        raise nested
    told = refused.value.tell("X")
    assert "It says: DB-Lib error message 20009: Unable to connect to •••...." in told
    assert told.endswith("…")
    assert len(told) < 320


def test_a_right_that_is_missing_is_told(postgresql: DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    name = postgresql.new_database("CREATE ROLE reader LOGIN PASSWORD 'word'")
    postgresql.execute("", f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    monkeypatch.setenv(VARIABLE, "word")
    checked = run("check", "--source", f"my-shop=postgresql://reader@127.0.0.1:{postgresql.port}/{name}")
    assert "does not permit this login" in checked.output


def test_a_file_that_is_missing_or_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id\n1\n" * 999)
    told = run(
        "check", "--source", f"a=sqlite:///{tmp_path}/none.db", "--source", f"b=sqlite:///{tmp_path}/shop.csv"
    )
    first, second = told.output.splitlines()
    assert "The file cannot be opened." in first
    assert "The file holds no database of SQLite." in second


def test_what_can_be_asked_is_asked_beside_what_cannot(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
    sources = ["--source", f"a=sqlite:///{tmp_path}/none.db", "--source", f"b=sqlite:///{tmp_path}/shop.db"]
    checked = run("check", *sources, "--json")
    assert checked.exit_code == 1
    reports = json.loads(checked.stdout)["sources"]
    assert [finding["code"] for finding in reports["a"]["findings"]] == ["source_fails"]
    assert [table["code"] for table in reports["b"]["tables"]] == ["orders"]


def test_a_value_of_an_address_that_the_driver_cannot_use_is_told(mariadb: DatabaseServer) -> None:
    address = f"mysql://{USER}@127.0.0.1:{mariadb.port}/mysql?charset=nonsense"
    assert "It says: " in run("check", "--source", f"a={address}").output
    told = run("check", "--source", "a=mysql://bi@127.0.0.1:1/x?connect_timeout=s3cr3t")
    assert "The options after the ? of the address cannot be used" in told.output
    assert "s3cr3t" not in told.output


@pytest.fixture
def shop(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.executescript("CREATE TABLE orders (id INTEGER); CREATE TABLE visitors (id INTEGER)")
    return f"shop=sqlite:///{tmp_path}/shop.db"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--table", "ordrs"], "The source shop has no table 'ordrs'; it has: orders, visitors."),
        (["--table", "orders", "--table", "nope*"], "has no table 'nope*'; it has: orders, visitors."),
        (["--schema", "nope"], "has no tables in a schema 'nope'; it has the schemas: main."),
    ],
)
def test_an_unknown_choice_is_told_with_what_there_is(shop: str, words: list[str], said: str) -> None:
    for command in ("check", "setup"):
        told = run(command, "--source", shop, *words)
        assert told.exit_code == 1
        assert told.output.count(said) == 1
        assert "connector.localhost" not in told.output


def test_a_table_of_another_schema_is_told(postgresql: DatabaseServer) -> None:
    name = postgresql.new_database(
        "CREATE SCHEMA sales", "CREATE TABLE sales.a (i int)", "CREATE TABLE b (i int)"
    )
    source = f"shop={postgresql.address(name).reveal()}"
    told = run("check", "--source", source, "--schema", "sales", "--table", "b")
    assert "has no table 'b'; it has: sales.a." in told.output
    assert run("check", "--source", source, "--schema", "sales", "--quick").exit_code == 0


def test_a_choice_is_none_of_the_source_that_has_it_not_where_another_has_it(
    shop: str, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text("id,price\n1,2\n")
    sources = ["--source", shop, "--source", f"files={tmp_path}/prices.csv"]
    words = ["--table", "orders", "--table", "prices", "--quick"]
    assert run("check", *sources, *words).exit_code == 0
    written = run("setup", *sources, "--table", "orders")
    assert written.exit_code == 0
    assert "prices" not in written.stdout
    assert run("check", *sources, *words, "--table", "nope").exit_code == 1


def test_of_a_folder_only_the_chosen_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("id,price\n1,2\n")
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    told = run("check", "--source", f"files={tmp_path}", "--table", "Продажи")
    assert told.exit_code == 1
    assert "The source files has no table 'Продажи'; it has: good." in told.output
    assert "bad" not in told.output
    assert "bad" not in run("check", "--source", f"files={tmp_path}", "--table", "good", "--quick").output
    assert "bad.xlsx" in run("check", "--source", f"files={tmp_path}", "--table", "bad").output


def test_a_damaged_file_beside_a_good_one_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("id,price\n1,2\n")
    packed = gzip.compress("".join(f"{number},{number * 7919}\n" for number in range(9999)).encode())
    (tmp_path / "bad.csv.gz").write_bytes(packed[: len(packed) // 2])
    told = run("check", "--source", f"files={tmp_path}", "--quick")
    assert told.exit_code == 0, told.output
    assert "bad.csv.gz is left out" in told.output


def test_unknown_names_of_types_are_a_warning(shop: str, tmp_path: Path) -> None:
    address = shop.partition("=")[2]
    config = tmp_path / "connector.toml"
    config.write_text(
        f"""
        [sources.shop]
        address = "{address}"
        titles = {{ visitor = "Visitors" }}
        types = {{ orders = {{ ID = "int", total = "double" }} }}
        """
    )
    told = run("check", "--config", str(config), "--quick")
    assert told.exit_code == 0
    assert "Warning: `types` and `titles` of the source shop name the table 'visitor'" in told.stderr
    assert "name the column 'total', which the table has not; it has: ID." in told.stderr
    assert told.stderr.count("Warning") == 2


def test_a_table_without_anything_to_show_is_a_note(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.executescript("CREATE TABLE allbytes (b BLOB); CREATE TABLE orders (id INTEGER)")
        database.execute("INSERT INTO allbytes VALUES (x'00ff')")
    for command in ("check", "setup"):
        told = run(command, "--source", f"shop=sqlite:///{tmp_path}/shop.db")
        assert told.exit_code == 0
        assert "table allbytes is left out: b: It holds binary data." in told.output
        assert "502" not in told.output


def test_a_connector_of_ones_own_is_asked_more_than_those_of_others(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(shop.partition(":///")[2])) as database, database:
        database.executemany("INSERT INTO orders VALUES (?)", [(number,) for number in range(1, 9)])
    assert source_check.MOST_CALLS > 5 * chart_check.MOST_CALLS
    assert "not_everything_asked" not in run("check", "--source", shop).output
    monkeypatch.setattr(source_check, "MOST_CALLS", 8)
    assert "not_everything_asked" in run("check", "--source", shop).output
