"""From a database of one's own to a filled chart: the connector runs, its setup is written and applied, a chart is opened."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from bi_mcp.cli import main
from tests.connector.databases.serving import PASSWORD, USER, DatabaseServer
from tests.connector.running import KEY, running_connector

SHOP = [
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer VARCHAR(40), total DECIMAL(10, 2), paid_on DATE)",
    "CREATE TABLE visitors (id INTEGER PRIMARY KEY, came_at TIMESTAMP, photo {blob})",
    "INSERT INTO orders VALUES (1, 'Ann', 10.5, '2025-12-30'), (2, 'Boris', 7.25, '2025-12-31'), (3, 'Ann', 99, NULL)",
    "INSERT INTO visitors VALUES (1, '2025-12-31 23:59:00', NULL)",
]


@dataclass
class Person:
    """Somebody with a terminal in an own folder. `told` is what the last command said beside its output."""

    home: Path
    told: str = ""

    def types(self, *words: str, code: int = 0) -> str:
        ran = CliRunner().invoke(main, words)
        assert ran.exit_code == code, ran.output
        self.told = ran.stderr
        return ran.stdout

    def sets_up(self, url: str, *options: str) -> dict[str, Any]:
        text = self.types("connector", "setup", "--url", url, *options)
        (self.home / "bi.yaml").write_text(text, encoding="utf-8")
        document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
        return document

    def opens_chart(self, dataset: str, *options: str) -> list[list[Any]]:
        rows: list[list[Any]] = json.loads(self.types("chart", dataset, *options, "--json"))["rows"]
        return rows


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """With the practice portal, and the key of the connector in the variables."""
    for name in [name for name in os.environ if name.startswith("BI_MCP_")]:
        monkeypatch.delenv(name)
    variables = {
        "BI_MCP_PORTAL_DB": str(tmp_path / "portal.sqlite3"),
        "BI_MCP_CONFIG_DIR": str(tmp_path / "config"),
        "BI_MCP_CONNECTOR_KEY": KEY,
        "BI_MCP_SECRET_CONNECTOR_KEY": KEY,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Person(tmp_path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        for statement in SHOP:
            database.execute(statement.format(blob="BLOB"))
    return f"shop=sqlite:///{file}"


@pytest.fixture(scope="module")
def url(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a connector serves the shop."""
    with running_connector(tmp_path_factory.mktemp("connector"), "--source", shop) as url:
        yield url


def fills_a_chart(person: Person, url: str, *options: str) -> None:
    document = person.sets_up(url, *options)
    assert sorted(document["datasets"]) == ["orders", "visitors"]
    assert [column["externalCode"] for column in document["datasets"]["visitors"]["columns"]] == [
        "ID",
        "CAME_AT",
    ]
    assert "4 done" in person.types("apply", "bi.yaml", "--yes")
    chart = ["orders", "--column", "CUSTOMER", "--column", "TOTAL", "--where", "CUSTOMER = Ann"]
    assert sorted(person.opens_chart(*chart)) == [["Ann", 10.5], ["Ann", 99]]
    dated = person.opens_chart("orders", "--column", "ID", "--from", "2025-12-31", "--to", "2025-12-31")
    assert dated == [[2]]
    assert "2 datasets: 2 ok" in person.types("diagnose", "--all")


def test_a_file_of_sqlite_becomes_a_chart(person: Person, url: str) -> None:
    fills_a_chart(person, url, "--source-name", "shop")


@pytest.mark.parametrize(("server", "blob"), [("postgresql", "BYTEA"), ("mariadb", "BLOB")])
def test_a_database_of_a_server_becomes_a_chart(
    person: Person, server: str, blob: str, request: pytest.FixtureRequest
) -> None:
    running: DatabaseServer = request.getfixturevalue(server)
    name = running.new_database(*(statement.format(blob=blob) for statement in SHOP))
    source = f"shop={server}://{USER}@127.0.0.1:{running.port}/{name}"
    password = {"BI_MCP_CONNECTOR_PASSWORD_SHOP": PASSWORD}
    with running_connector(person.home, "--source", source, **password) as url:
        fills_a_chart(person, url, "--source-name", "shop")
    assert PASSWORD not in (person.home / "connector.log").read_text(encoding="utf-8")


def test_the_setup_is_the_same_from_the_sources_as_from_the_connector_that_runs(
    person: Person, shop: str, url: str
) -> None:
    asked = person.sets_up(url, "--source-name", "shop")
    assert person.sets_up(url, "--source", shop) == asked


def test_a_setup_is_written_before_the_address_answers(person: Person, shop: str) -> None:
    document = person.sets_up("https://bi.example.com", "--source", shop, "--table", "ord*")
    assert list(document["datasets"]) == ["orders"]
    assert document["connectors"]["connector"]["urlData"] == "https://bi.example.com/data"


def test_a_healthy_source_passes_the_check_in_this_process_and_at_its_address(
    person: Person, shop: str, url: str
) -> None:
    here = person.types("connector", "check", "--source", shop)
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
    [finding] = json.loads(told)["sources"]["shop"]["findings"]
    assert "Connection refused" in finding["what"]


def test_a_configuration_file_says_what_is_served_and_a_stored_secret_stands_for_the_key(
    person: Person, shop: str
) -> None:
    address = shop.partition("=")[2]
    config = (
        f'[sources.shop]\naddress = "{address}"\ntables = ["orders"]\n[sources.old]\naddress = "{address}"\n'
    )
    (person.home / "connector.toml").write_text(config, encoding="utf-8")
    document = person.sets_up("https://bi.example.com", "--config", "connector.toml", "--secret", "bi")
    assert sorted(document["datasets"]) == ["old_orders", "shop_orders", "visitors"]
    assert document["sources"]["old"]["settings"] == {"source": "old", "key": {"secret": "bi"}}
    assert "`bi-mcp secret set bi --for bi.example.com`" in person.told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "Say what to ask"),
        (["--url", "http://127.0.0.1:1"], 2, "Say what to ask"),
        (
            ["--source", "shop=orders.csv", "--source-name", "shop"],
            2,
            "--source-name is for a connector that runs",
        ),
        (["--source", "shop=nowhere.csv"], 1, "nowhere.csv"),
        (["--config", "parametrised.toml"], 1, "has no sources of its own"),
    ],
)
def test_what_cannot_be_asked_is_explained(person: Person, words: list[str], code: int, told: str) -> None:
    (person.home / "orders.csv").write_text("id\n1\n", encoding="utf-8")
    parametrised = '[parametrised]\nkind = "postgresql"\nhosts = ["db.internal"]\n'
    (person.home / "parametrised.toml").write_text(parametrised, encoding="utf-8")
    person.types("connector", "check", *words, code=code)
    assert told in person.told


def test_without_its_key_a_connector_that_runs_is_not_asked(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BI_MCP_CONNECTOR_KEY", "BI_MCP_SECRET_CONNECTOR_KEY"):
        monkeypatch.delenv(name)
    person.types("connector", "check", "--url", "http://127.0.0.1:1", "--source-name", "shop", code=1)
    assert "Set BI_MCP_CONNECTOR_KEY to it." in person.told


def test_an_unknown_table_is_answered_with_the_known_ones(person: Person, url: str) -> None:
    words = ["--url", url, "--source-name", "shop", "--table", "customers"]
    person.types("connector", "setup", *words, code=1)
    assert "has no table customers. Choose from its tables: orders, visitors." in person.told
    person.types("connector", "check", *words, code=1)


def test_in_russian_the_check_and_the_remarks_are_russian(person: Person, shop: str) -> None:
    told = person.types("--language", "ru", "connector", "check", "--source", shop, "--quick")
    assert "Источник" in told
    assert "столбец photo пропущен" in told


def test_a_password_for_a_file_is_ignored(person: Person, shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_CONNECTOR_PASSWORD_SHOP", "x")
    person.types("connector", "check", "--source", shop, "--quick")
