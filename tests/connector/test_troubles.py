"""What a person is told of a source that cannot be asked: one sentence, and what to do."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bi_mcp.cli import main
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
