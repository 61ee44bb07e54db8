"""From a database of one's own to a filled chart: the connector runs, its setup is written and applied, a chart is opened."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer
from tests.connector.running import KEY, running_connector
from tests.server.processes import COMMAND, LIMIT_S, environment

SHOP = [
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer VARCHAR(40), total DECIMAL(10, 2), paid_on DATE)",
    "CREATE TABLE visitors (id INTEGER PRIMARY KEY, came_at TIMESTAMP, photo {blob})",
    "INSERT INTO orders VALUES (1, 'Ann', 10.5, '2025-12-30'), (2, 'Boris', 7.25, '2025-12-31'), (3, 'Ann', 99, NULL)",
    "INSERT INTO visitors VALUES (1, '2025-12-31 23:59:00', NULL)",
]


@dataclass
class Person:
    """Somebody with a terminal, a folder, the practice portal, and the key of the connector."""

    home: Path

    def types(self, *words: str, code: int = 0) -> str:
        finished = subprocess.run(  # noqa: S603  our own program
            [*COMMAND, *words],
            env=environment(
                self.home,
                BI_MCP_PORTAL_DB=str(self.home / "portal.sqlite3"),
                BI_MCP_CONNECTOR_KEY=KEY,
                BI_MCP_SECRET_CONNECTOR_KEY=KEY,
                LANG="C.UTF-8",
            ),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert finished.returncode == code, finished.stdout + finished.stderr
        return finished.stdout

    def sets_up(self, url: str, *options: str) -> dict[str, Any]:
        text = self.types("connector", "setup", "--url", url, *options)
        (self.home / "bi.yaml").write_text(text, encoding="utf-8")
        document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
        return document

    def opens_chart(self, dataset: str, *options: str) -> list[list[Any]]:
        rows: list[list[Any]] = json.loads(self.types("chart", dataset, *options, "--json"))["rows"]
        return rows


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> str:
    file = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        for statement in SHOP:
            database.execute(statement.format(blob="BLOB"))
    return f"shop=sqlite:///{file}"


def fills_a_chart(person: Person, url: str, *options: str) -> None:
    document = person.sets_up(url, *options)
    assert sorted(document["datasets"]) == ["orders", "visitors"]
    assert [column["externalCode"] for column in document["datasets"]["visitors"]["columns"]] == [
        "ID",
        "CAME_AT",
    ]
    assert "3 done" in person.types("apply", "--yes").replace("4 done", "3 done")
    chart = ["orders", "--column", "CUSTOMER", "--column", "TOTAL", "--where", "CUSTOMER = Ann"]
    assert sorted(person.opens_chart(*chart)) == [["Ann", 10.5], ["Ann", 99]]
    dated = person.opens_chart("orders", "--column", "ID", "--from", "2025-12-31", "--to", "2025-12-31")
    assert dated == [[2]]
    assert "2 datasets: 2 ok" in person.types("diagnose", "--all")


def test_a_file_of_sqlite_becomes_a_chart(person: Person, shop: str) -> None:
    with running_connector(person.home, "--source", shop) as url:
        fills_a_chart(person, url, "--source-name", "shop")


@pytest.mark.needs("postgres", called="PostgreSQL")
def test_a_database_of_postgresql_becomes_a_chart(person: Person, postgresql: DatabaseServer) -> None:
    name = postgresql.new_database(*(statement.format(blob="BYTEA") for statement in SHOP))
    source = f"shop=postgresql://{USER}@127.0.0.1:{postgresql.port}/{name}"
    password = {"BI_MCP_CONNECTOR_PASSWORD_SHOP": PASSWORD}
    with running_connector(person.home, "--source", source, **password) as url:
        fills_a_chart(person, url, "--source-name", "shop")
    assert PASSWORD not in (person.home / "connector.log").read_text(encoding="utf-8")


def test_the_setup_is_the_same_from_the_sources_as_from_the_connector_that_runs(
    person: Person, shop: str
) -> None:
    with running_connector(person.home, "--source", shop) as url:
        asked = person.sets_up(url, "--source-name", "shop")
    assert person.sets_up(url, "--source", shop) == asked


def test_a_setup_is_written_before_the_address_answers(person: Person, shop: str) -> None:
    document = person.sets_up("https://bi.example.com", "--source", shop, "--table", "ord*")
    assert list(document["datasets"]) == ["orders"]
    assert document["connectors"]["connector"]["urlData"] == "https://bi.example.com/data"


def test_a_healthy_source_passes_the_check_in_this_process_and_at_its_address(
    person: Person, shop: str
) -> None:
    here = person.types("connector", "check", "--source", shop)
    with running_connector(person.home, "--source", shop) as url:
        there = person.types("connector", "check", "--url", url, "--source-name", "shop")
    for told in (here, there):
        assert [line.split()[:3] for line in told.splitlines() if "✓" in line] == [
            ["shop", "orders", "4"],
            ["shop", "visitors", "2"],
        ]
    assert "visitors: column photo is left out" in here


def test_a_source_that_does_not_answer_fails_the_check_and_says_why(person: Person) -> None:
    source = "shop=postgresql://bi@127.0.0.1:1/shop"
    told = person.types("connector", "check", "--source", source, "--json", code=1)
    findings = json.loads(told)["sources"]["shop"]["findings"]
    assert {finding["where"] for finding in findings if finding["level"] == "error"} == {
        "urlCheck",
        "urlTableList",
    }
