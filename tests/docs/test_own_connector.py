"""The connector of the guide, started as the guide says, keeps every rule of Bitrix24 and answers what it asks."""

from __future__ import annotations

import os
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.connector.report import ConnectorReport
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.practice.sample import ENDPOINTS
from tests.practice.sample.request_shapes import FLIGHTS, GENERATIONS, SHAPES, TYPES, Shape, request_form

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = DOCS / "examples" / "connector.py"
CONNECTION = {"login": Secret("bi"), "password": Secret("right")}
# Loading the system's certificates for each call would take longer than the call.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
FORM = {"connection[login]": "bi", "connection[password]": "right"}
ORDERS = [(1, "tea", 2.5, "2026-01-01"), (2, "salt", 1, "2026-01-02"), (3, "tea", 7.0, "2026-01-02")]
SQL_TYPES = {
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "int": "BIGINT",
    "double": "DECIMAL(10, 2)",
    "string": "VARCHAR(50)",
}


@contextmanager
def run_program(file: Path, culture: str = "") -> Iterator[str]:
    """The program over a file on a free port; gives its address."""
    own = {"CONNECTOR_LOGIN": "bi", "CONNECTOR_PASSWORD": "right", "CONNECTOR_CULTURE": culture}
    with subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, PROGRAM, file, "0"],
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The program over a small shop."""
    file = tmp_path / "shop of ours?#.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(
            """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, goods TEXT, total NUMERIC(10, 2), day DATE, photo BLOB);
            CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, ratio REAL, "made at" TIMESTAMP, город TEXT);
            INSERT INTO counted (ratio, "made at", город) VALUES (9e999, '2026-01-02T03:04:05.678', 'Тверь'), (0.5, NULL, '');
            CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;
            CREATE VIEW big_orders AS SELECT id, total FROM orders WHERE total > 2;
            """
        )
        database.executemany("INSERT INTO orders (id, goods, total, day) VALUES (?, ?, ?, ?)", ORDERS)
    with run_program(file) as address:
        yield address


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flights of the sample's data as a file of SQLite."""
    file = tmp_path_factory.mktemp("flights") / "flights.sqlite3"
    columns = ", ".join(f"{column.lower()} {SQL_TYPES[type]}" for column, type in TYPES.items())
    marks = ", ".join("?" * len(TYPES))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"CREATE TABLE flights ({columns})")
        rows = [[flight[column] for column in TYPES] for flight in FLIGHTS]
        database.executemany(f"INSERT INTO flights VALUES ({marks})", rows)  # noqa: S608  question marks
    return file


@pytest.fixture(scope="module")
def addresses(flights: Path) -> Iterator[dict[str, str]]:
    """The program once for each culture that settles what a slashed date means, and once without."""
    with (
        run_program(flights) as plain,
        run_program(flights, "en") as en,
        run_program(flights, "en-gb") as en_gb,
    ):
        yield {"iso": plain, "ru": plain, "en": en, "en-gb": en_gb}


async def post(address: str, path: str, **form: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=PLAIN) as http:
        return await http.post(address + path, data=FORM | form)


async def rows(address: str, table: str, form: dict[str, str] | None = None) -> list[list[Any]]:
    answer = await post(address, "/data", **{"table": table, **(form or {})})
    assert answer.status_code == 200, answer.text
    found: list[list[Any]] = answer.json()
    return found


async def refusal(address: str, form: dict[str, str]) -> str:
    answer = await post(address, "/data", **{"table": "orders", **form})
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


async def examine(address: str, table: str | None = None) -> ConnectorReport:
    urls = {name: address + path for name, path in ENDPOINTS.items()}
    return await examine_connector(EndpointCaller(allow_private=True), urls, CONNECTION, table=table)


@pytest.mark.parametrize("language", ["", "ru"])
def test_the_guide_shows_the_program(language: str) -> None:
    guide = (DOCS / language / "how-to" / "own-connector.md").read_text(encoding="utf-8")
    # In a block of plain Python the formatter would take this for code.
    assert '\n``` { .python }\n--8<-- "examples/connector.py"\n```\n' in guide


async def test_it_breaks_no_rule(address: str) -> None:
    report = await examine(address, "orders")
    # All that there is to say is that this machine is not the internet.
    assert [(finding.level, finding.where) for finding in report.findings] == [("warning", "address")]
    assert [facts.held for facts in report.endpoints] == [
        "the values are accepted",
        "4 tables: orders, counted, endless, big_orders",
        "4 columns",
        "3 rows",
    ]


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_it_answers_the_rows_that_python_finds(
    addresses: dict[str, str], shape: Shape, generation: str
) -> None:
    found = await rows(addresses[shape.culture], "flights", request_form(shape, generation))
    assert found == shape.answer()


async def test_it_lists_tables_and_views_and_none_of_sqlites_own(address: str) -> None:
    listed = (await post(address, "/tables")).json()
    assert sorted(table["code"] for table in listed) == ["big_orders", "counted", "endless", "orders"]
    assert [table["code"] for table in (await post(address, "/tables", searchString="COUNT")).json()] == [
        "counted"
    ]
    assert (await post(address, "/data", table="sqlite_sequence")).status_code == 400


async def test_rows_leave_before_the_last_one_is_read(address: str) -> None:
    """The view has no last row."""
    async with (
        httpx.AsyncClient(verify=PLAIN) as http,
        http.stream("POST", address + "/data", data=FORM | {"table": "endless"}) as answer,
    ):
        first = await anext(answer.aiter_text(chunk_size=9))
    assert first == '[["I"], ['


async def test_it_announces_legal_names_and_leaves_binary_columns_out(address: str) -> None:
    described = (await post(address, "/table", table="orders")).json()
    assert [(column["code"], column["type"]) for column in described] == [
        ("ID", "int"),
        ("GOODS", "string"),
        ("TOTAL", "double"),
        ("DAY", "date"),
    ]
    assert await rows(address, "orders", {"filter[goods]": "salt"}) == [
        ["ID", "GOODS", "TOTAL", "DAY"],
        [2, "salt", 1.0, "2026-01-02"],
    ]


async def test_every_value_has_its_columns_type_and_odd_names_are_reached(address: str) -> None:
    assert await rows(address, "counted") == [
        ["ID", "RATIO", "MADE AT", "город"],
        [1, None, "2026-01-02 03:04:05", "Тверь"],
        [2, 0.5, None, ""],
    ]
    form = {"filter[0][0][%город][0]": "ТВ", "select[0]": "город"}
    assert await rows(address, "counted", form) == [["город"], ["Тверь"]]
    mapped = {"mapFields[MADE AT]": "MADE", "select[0]": "MADE", "filter[0][0][!=MADE]": ""}
    assert await rows(address, "counted", mapped) == [["MADE AT"], ["2026-01-02 03:04:05"]]


async def test_a_part_of_a_text_is_searched_in_a_column_named_as_one_of_the_searched_list(
    address: str,
) -> None:
    form = {"filter[0][LOGIC]": "OR", "filter[0][0][%ID][0]": "2", "select[0]": "ID"}
    assert await rows(address, "counted", form) == [["ID"], [2]]


@pytest.mark.parametrize(("asked", "header"), [("goods", "goods"), ("GOODS", "GOODS")])
async def test_without_mapped_names_the_header_says_what_was_asked_for(
    address: str, asked: str, header: str
) -> None:
    assert await rows(address, "orders", {"select[]": asked, "limit": "1"}) == [[header], ["tea"]]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"filter[0][LOGIC]": "XOR"}, "This connector does not understand the request."),
        ({"filter[~GOODS]": "t"}, "There is no column '~GOODS'."),
        ({'filter[ID" OR "1]': "1"}, "There is no column 'ID\" OR \"1'."),
        ({"select[0]": "nosuch"}, "There is no column 'nosuch'."),
        ({"filter[>TOTAL]": "1,5"}, "'1,5' is not a number."),
        ({"filter[>TOTAL]": "nan"}, "'nan' is not a number."),
        ({"filter[><TOTAL][0]": "1"}, "The operator >< takes two values."),
        ({"filter[=TOTAL][0][0]": "1"}, "A list holds something that is not a value."),
        ({"filter[DAY]": "2026-02-30"}, "'2026-02-30' is not a date."),
        ({"filter[DAY]": "01/02/2026"}, "'01/02/2026' can be read in two ways: set CONNECTOR_CULTURE to en or en-gb."),
        ({"limit": "-1"}, "The limit must be a whole number, not '-1'."),
        ({"filter[GOODS": "tea"}, "The brackets of 'filter[GOODS' do not match."),
        ({"filter": "tea"}, "This connector does not understand the request."),
        ({"filter" + "[0]" * 2000 + "[GOODS]": "tea"}, "This connector does not understand the request."),
        ({"table": "nosuch"}, "There is no table 'nosuch'."),
        ({"table": 'orders" --'}, "There is no table 'orders\" --'."),
        ({"x": "x" * 4_000_000}, "The request is too large."),
    ],
)  # fmt: skip
async def test_what_it_does_not_understand_it_refuses_in_a_sentence(
    address: str, form: dict[str, str], sentence: str
) -> None:
    assert await refusal(address, form) == sentence


@pytest.mark.parametrize(
    "day", ["13/01/2026", "01/13/2026", "02/02/2026", "13.1.2026 23:59:59", "2026-01-13T12:00:00"]
)
async def test_a_date_with_one_reading_needs_no_setting(address: str, day: str) -> None:
    assert len(await rows(address, "orders", {"filter[<DAY]": day})) == 1 + len(ORDERS)
    assert len(await rows(address, "orders", {"filter[>DAY]": day})) == 1


@pytest.mark.parametrize(("path", "form"), [("/table", {"table": ""}), ("/data", {}), ("/nosuch", {})])
async def test_what_is_not_there_is_refused(address: str, path: str, form: dict[str, str]) -> None:
    assert (await post(address, path, **form)).status_code == 400


async def test_a_wrong_password_opens_nothing(address: str) -> None:
    form = {"connection[password]": "wröng", "table": "orders"}
    answers = [await post(address, path, **form) for path in ENDPOINTS.values()]
    assert [answer.status_code for answer in answers] == [401] * 4


def test_it_is_as_short_as_the_guide_says() -> None:
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 210
