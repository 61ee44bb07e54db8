"""The guide to databases says what the connector does: its types are those of the dialects, its configuration is one."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.configuration import parse_configuration
from bi_mcp.connector.databases.dialects import DIALECTS
from bi_mcp.connector.databases.dialects.dialect import LeftOut, parse_declared
from bi_mcp.connector.options import SourceOptions
from bi_mcp.endpoints.caller import EndpointCaller

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ["", "ru"]
ENGLISH, RUSSIAN = (
    (DOCS / language / "how-to/connect-database.md").read_text(encoding="utf-8") for language in LANGUAGES
)
OF_DIALECTS = {"PostgreSQL": ["postgresql"], "MySQL, MariaDB": ["mysql", "mariadb"], "SQLite": ["sqlite"]}


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading this is."""
    found = re.search(rf"^\| {heading} \| \w+ \| \|\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert found is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


DOCUMENTED = [
    (scheme, declared, quoted(becomes)[0] if quoted(becomes) else "left out")
    for heading, schemes in OF_DIALECTS.items()
    for types, becomes, _ in rows(ENGLISH, heading)
    for declared in quoted(types)
    for scheme in schemes
]


@pytest.mark.parametrize(("scheme", "declared", "becomes"), DOCUMENTED)
def test_a_type_becomes_what_the_guide_says(scheme: str, declared: str, becomes: str) -> None:
    form = DIALECTS[scheme].forms(parse_declared(declared), SourceOptions())
    assert ("left out" if isinstance(form, LeftOut) else form.type) == becomes


def test_a_boolean_and_a_number_of_many_digits_are_documented() -> None:
    assert len(DOCUMENTED) > 60
    assert {becomes for _, _, becomes in DOCUMENTED} == {
        "int",
        "double",
        "date",
        "datetime",
        "string",
        "left out",
    }


@pytest.mark.parametrize("heading", OF_DIALECTS)
def test_the_russian_guide_has_the_same_types(heading: str) -> None:
    english, russian = (
        [(quoted(types), quoted(becomes)) for types, becomes, _ in rows(page, heading)]
        for page in (ENGLISH, RUSSIAN)
    )
    assert english == russian


def test_every_kind_of_address_is_one_that_the_connector_knows_and_none_is_missing() -> None:
    table = ENGLISH.split("## Addresses\n")[1].split("\n## ")[0]
    schemes = {address.partition("://")[0] for address in quoted(table) if "://" in address}
    assert schemes <= set(DIALECTS)
    assert {DIALECTS[scheme].name for scheme in schemes} == {dialect.name for dialect in DIALECTS.values()}


@pytest.mark.anyio
@pytest.mark.parametrize("page", [ENGLISH, RUSSIAN], ids=["en", "ru"])
async def test_the_program_of_the_guide_serves_a_database(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.sqlite3")) as database, database:
        database.executescript("CREATE TABLE orders (id INTEGER); CREATE TABLE customers (id INTEGER);")
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    made: dict[str, Any] = {}
    exec(program, made)  # noqa: S102  what readers run
    connection = {"source": Secret("shop"), "key": Secret("a long and random key")}
    with closing(made["shop"]):
        caller = EndpointCaller(apps={"http://connector.localhost": made["app"]})
        listed = await caller.table_list("http://connector.localhost/tables", connection)
    assert [table.code for table in listed.items] == ["orders"]


@pytest.mark.parametrize("page", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_the_configuration_of_the_guide_is_one(page: str) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    configuration = parse_configuration(tomllib.loads(text), lambda *_: Secret("a password"))
    source = configuration.sources["shop"]
    assert source.options.tables == ("orders", "customers", "report_*")
    assert source.options.timeout == 30
    assert configuration.keys[0].opens("shop")
    assert configuration.service.answers == 8
    assert configuration.listening.behind_proxy


@pytest.mark.parametrize(
    "page",
    ["README.md", "docs/how-to/tunnels.md", "docs/ru/how-to/tunnels.md", "docs/how-to/connect-database.md"],
)
def test_what_the_commands_need_is_set_before_them(page: str) -> None:
    text = (DOCS.parent / page).read_text(encoding="utf-8")
    text = text[text.index("export BI_MCP_CONNECTOR_PASSWORD_SHOP=") :]
    steps = [
        "export BI_MCP_CONNECTOR_KEY=",
        "bi-mcp connector serve --source",
        "bi-mcp connector setup --url",
        "export BI_MCP_SECRET_CONNECTOR_KEY=$BI_MCP_CONNECTOR_KEY",
        "bi-mcp apply",
    ]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
