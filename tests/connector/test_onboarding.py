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
from bi_mcp.cli.actions.connector_serve import serve_connector
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


@pytest.mark.parametrize("command", [("setup", "--url", "http://127.0.0.1:8772"), ("check", "--quick")])
def test_who_waits_at_a_terminal_sees_how_many_tables_were_asked(
    person: Person, shop: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bi_mcp.cli.actions.table_count.is_watched", lambda: True)
    person.types("connector", *command, "--source", shop)
    assert "\r1 of 2 tables\r2 of 2 tables\n" in person.told


def test_a_configuration_file_says_what_is_served_and_a_stored_secret_stands_for_the_key(
    person: Person, shop: str
) -> None:
    address = shop.partition("=")[2]
    config = (
        f'[sources.shop]\naddress = "{address}"\ntables = ["orders"]\n[sources.old]\naddress = "{address}"\n'
    )
    (person.home / "connector.toml").write_text(config, encoding="utf-8")
    document = person.sets_up("https://bi.example.com", "--config", "connector.toml", "--secret", "bi")
    assert sorted(document["datasets"]) == ["old_orders", "orders", "visitors"]
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
        (
            ["--url", "http://127.0.0.1:1", "--source", "shop=orders.csv"],
            2,
            "--url is for a connector that runs",
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


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("bi.example.com", "Write https://bi.example.com,"),
        ("bi.example.com:8772/shop/", "Write https://bi.example.com:8772/shop,"),
        ("ftp://bi.example.com", "is not an address such as https://bi.example.com."),
        ("https://", "https:// is not an address"),
        ("https://bi@bi.example.com", "is not an address"),
        ("https://bi.example.com:x", "is not an address"),
        ("https://bi.example.com?key=1", "Leave out what follows ? or # in it."),
        ("https://bi.example.com/#top", "Leave out what follows ? or # in it."),
        ("https://bi.example.com/shop/check", "have in common: https://bi.example.com/shop"),
        ("https://bi.example.com/data/", "have in common: https://bi.example.com"),
    ],
)
def test_an_address_below_which_no_endpoints_can_be_is_refused(person: Person, url: str, told: str) -> None:
    for command in (["setup", "--url"], ["check", "--url"], ["serve", "--public-url"]):
        person.types("connector", *command, url, "--source", "shop=nowhere.csv", code=2)
        assert told in " ".join(person.told.split())


def test_without_its_key_a_connector_that_runs_is_not_asked(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BI_MCP_CONNECTOR_KEY", "BI_MCP_SECRET_CONNECTOR_KEY"):
        monkeypatch.delenv(name)
    person.types("connector", "check", "--url", "http://127.0.0.1:1", "--source-name", "shop", code=1)
    assert "Set BI_MCP_CONNECTOR_KEY to it." in person.told


def test_a_new_address_is_an_update_of_the_connector_and_nothing_is_made_again(
    person: Person, url: str
) -> None:
    person.sets_up(url, "--source-name", "shop")
    person.types("apply", "bi.yaml", "--yes")
    for state in person.home.glob("bi.*.state.json"):
        state.unlink()
    person.sets_up(url.replace("127.0.0.1", "localhost"), "--source-name", "shop")
    changes = json.loads(person.types("plan", "bi.yaml", "--format", "json"))["changes"]
    assert [(change["action"], change["group"], change["id"]) for change in changes] == [
        ("update", "connector", 1)
    ]
    assert "1 done" in person.types("apply", "bi.yaml", "--yes")
    assert json.loads(person.types("plan", "bi.yaml", "--format", "json"))["changes"] == []


@pytest.mark.parametrize("with_state", [True, False])
def test_a_source_whose_tables_have_the_names_of_others_deletes_nothing(
    person: Person, shop: str, url: str, *, with_state: bool
) -> None:
    person.sets_up(url, "--source-name", "shop")
    person.types("apply", "bi.yaml", "--yes")
    if not with_state:
        for state in person.home.glob("bi.*.state.json"):
            state.unlink()
    person.sets_up(url, "--source", shop.replace("shop=", "my-shop=", 1))
    person.types("apply", "bi.yaml", "--yes", "--no-check", code=1)
    told = person.types("plan", "bi.yaml", code=1)
    assert '     source: "shop (1)" → "my_shop"' in told
    assert "! datasets.orders, datasets.visitors: the portal has datasets of these names" in told
    assert "`bi-mcp adopt sources.my_shop=1`" in told
    # Both sources in one file: the datasets of the first stay, and those of the second have names of their own.
    both = ["--source", shop, "--source", shop.replace("shop=", "my-shop=", 1)]
    document = person.sets_up(url, *both)
    assert list(document["datasets"]) == ["orders", "visitors", "my_shop_orders", "my_shop_visitors"]
    assert "3 to create." in person.types("plan", "bi.yaml")
    # The other way round, the second source would take the names of the first.
    person.sets_up(url, *both[2:], *both[:2])
    assert "the file names the tables of that source otherwise" in person.types("plan", "bi.yaml", code=1)


def test_a_table_that_takes_the_name_of_another_deletes_nothing(person: Person, url: str) -> None:
    person.sets_up(url, "--source-name", "shop")
    person.types("apply", "bi.yaml", "--yes")
    file = person.home / "bi.yaml"
    text = file.read_text(encoding="utf-8")
    names = {"  orders:\n": "  visitors:\n", "  visitors:\n": "  orders:\n"}
    file.write_text("".join(names.get(line, line) for line in text.splitlines(keepends=True)), "utf-8")
    assert "! datasets.visitors, datasets.orders: the portal has" in person.types("plan", "bi.yaml", code=1)


def test_an_unknown_table_is_answered_with_the_known_ones(person: Person, url: str) -> None:
    words = ["--url", url, "--source-name", "shop", "--table", "customers"]
    person.types("connector", "setup", *words, code=1)
    assert "has no table customers. Choose from its tables: orders, visitors." in person.told
    person.types("connector", "check", *words, code=1)


def test_in_russian_the_check_and_the_remarks_are_russian(person: Person, shop: str) -> None:
    told = person.types("--language", "ru", "connector", "check", "--source", shop, "--quick")
    assert "Источник" in told
    assert "столбец photo пропущен" in told


@pytest.mark.usefixtures("person")
def test_who_lets_a_key_be_made_hears_whom_it_locks_out(
    shop: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "bi_mcp.cli.actions.connector_serve.serve_app",
        lambda _app, _listening, announce: announce("http://127.0.0.1:8772"),
    )
    warning = "Sources in Bitrix24 that have another key are refused from now on."
    serve_connector(None, sources=(shop,))
    assert warning not in capsys.readouterr().out
    monkeypatch.delenv("BI_MCP_CONNECTOR_KEY")
    serve_connector(None, sources=(shop,))
    assert warning in capsys.readouterr().out


def test_a_password_for_a_file_is_ignored(person: Person, shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_MCP_CONNECTOR_PASSWORD_SHOP", "x")
    person.types("connector", "check", "--source", shop, "--quick")
