"""Data that the user names: CSV files, folders of them, SQLite files."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.columns import TableColumn
from bi_mcp.connector.question.query import parse_query
from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample import ORIGIN, create_app
from bi_mcp.practice.sample.data_files import open_tables
from tests.practice.sample.calls import call, rows

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connector(data: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(data, password=Secret("demo-password"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


def written(folder: Path, text: str, name: str = "orders.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


async def types(client: httpx.AsyncClient, table: str) -> dict[str, str]:
    described: list[dict[str, str]] = (await call(client, "/table", {"table": table})).json()
    return {column["code"]: column["type"] for column in described}


@pytest.mark.parametrize(
    ("values", "type", "answered"),
    [
        (["1", "-20", ""], "int", [1, -20, None]),
        (["1", "2.50", "1e-05"], "double", [1.0, 2.5, 0.00001]),
        (["2024-02-29", ""], "date", ["2024-02-29", None]),
        (
            ["2024-02-29 10:00:00", "2024-03-01T09:30"],
            "datetime",
            ["2024-02-29 10:00:00", "2024-03-01 09:30:00"],
        ),
        (["2024-02-29T10:00:00.123Z"], "datetime", ["2024-02-29 10:00:00"]),
        (["2024-02-29", "2024-02-29 10:00:00"], "datetime", ["2024-02-29 00:00:00", "2024-02-29 10:00:00"]),
        (["2023-02-29"], "string", ["2023-02-29"]),
        (["29.02.2024"], "string", ["29.02.2024"]),
        (["007", "12"], "string", ["007", "12"]),
        (["+79161234567"], "string", ["+79161234567"]),
        (["4276380012345678"], "string", ["4276380012345678"]),
        (["12E4"], "string", ["12E4"]),
        (["nan", "inf"], "string", ["nan", "inf"]),
        (["1", "x"], "string", ["1", "x"]),
        (["1", "2024-02-29"], "string", ["1", "2024-02-29"]),
        (["2024-02-29", "2.5"], "string", ["2024-02-29", "2.5"]),
        (["5", "", "007"], "string", ["5", None, "007"]),
        (["", ""], "string", [None, None]),
        (['"1,5"'], "string", ["1,5"]),
    ],
)
async def test_the_values_of_a_csv_column_decide_its_type(
    tmp_path: Path, values: list[str], type: str, answered: list[Any]
) -> None:
    lines = [f"{number},{value}" for number, value in enumerate(values)]
    async with connector(written(tmp_path, "\n".join(["id,value", *lines]))) as client:
        assert await types(client, "orders") == {"id": "int", "value": type}
        assert await rows(client, "orders", {"select[]": ["value"]}) == [[value] for value in answered]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
async def test_the_delimiter_is_found_by_looking(tmp_path: Path, delimiter: str, start: str) -> None:
    lines = ["Номер заказа|Сумма", "1|2.5", "|", "2|10"]
    async with connector(written(tmp_path, start + "\r\n".join(lines).replace("|", delimiter))) as client:
        assert await types(client, "orders") == {"Номер заказа": "int", "Сумма": "double"}
        assert await rows(client, "orders") == [[1, 2.5], [None, None], [2, 10.0]]
        assert await rows(client, "orders", {"filter[>Сумма]": "5"}) == [[2, 10.0]]


async def test_a_decimal_comma_counts_where_commas_do_not_delimit(tmp_path: Path) -> None:
    async with connector(written(tmp_path, "id;sum\n1;2,5\n2;1200,75\n")) as client:
        assert await rows(client, "orders") == [[1, 2.5], [2, 1200.75]]


async def test_text_search_ignores_case_beyond_ascii(tmp_path: Path) -> None:
    async with connector(written(tmp_path, "id,city\n1,Москва\n2,Тверь\n")) as client:
        assert await rows(client, "orders", {"filter[%city]": "МОСК"}) == [[1, "Москва"]]
        assert await rows(client, "orders", {"filter[=%city]": "т%Ь"}) == [[2, "Тверь"]]


async def test_headers_stay_as_they_are_even_when_they_look_like_operators_or_sql(tmp_path: Path) -> None:
    text = '% done,>=5,"x"" --",,logic\n1,2,3,4,5\n6,7,8,9,10\n'
    async with connector(written(tmp_path, text)) as client:
        assert list(await types(client, "orders")) == ["% done", ">=5", 'x" --', "column_4", "logic"]
        assert await rows(client, "orders", {"filter[% done]": "6", "select[]": [">=5", 'x" --']}) == [[7, 8]]
        assert await rows(client, "orders", {"filter[=logic]": "10", "select[]": ["column_4"]}) == [[9]]


async def test_a_folder_of_csv_files_is_several_tables(tmp_path: Path) -> None:
    written(tmp_path, "id\n1\n", "open_orders.csv")
    written(tmp_path, "id\tname\n1\tA\n", "clients.TSV")
    written(tmp_path, "not a table", "notes.txt")
    async with connector(tmp_path) as client:
        assert (await call(client, "/tables")).json() == [
            {"code": "clients", "title": "Clients"},
            {"code": "open_orders", "title": "Open orders"},
        ]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "shop ?#.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            """
            CREATE TABLE sale (id INTEGER PRIMARY KEY, sum NUMERIC, day DATE, made TIMESTAMP, note TEXT, raw);
            INSERT INTO sale VALUES (1, 10, '2024-05-01', '2024-05-01 10:00:00.000000', 'first', 'text');
            INSERT INTO sale VALUES (2, 2.5, NULL, '2024-05-02T11:30:00', '', x'ff41');
            CREATE TABLE "odd ""name" ("a b" REAL);
            CREATE TABLE diary (day TEXT, made TEXT);
            INSERT INTO diary VALUES ('2023-02-29', '2023-02-29 10:00:00');
            INSERT INTO "odd ""name" VALUES (9e999), (1.5);
            CREATE TABLE edge (number);
            INSERT INTO edge VALUES (-9223372036854775807 - 1), (0.5);
            CREATE VIEW big_sale AS SELECT id, sum FROM sale WHERE sum > 5;
            """
        )
    return file


async def test_a_sqlite_file_shows_its_tables_and_views(database: Path) -> None:
    async with connector(database) as client:
        listed = (await call(client, "/tables")).json()
        assert [table["code"] for table in listed] == ["big_sale", "diary", "edge", 'odd "name', "sale"]
        assert await types(client, "sale") == {
            "id": "int",
            "sum": "double",
            "day": "date",
            "made": "datetime",
            "note": "string",
            "raw": "string",
        }
        assert await types(client, "edge") == {"number": "double"}
        assert await types(client, "diary") == {"day": "string", "made": "string"}
        assert await rows(client, "big_sale") == [[1, 10]]


async def test_every_value_of_a_sqlite_file_leaves_with_its_columns_type(database: Path) -> None:
    async with connector(database) as client:
        assert await rows(client, "sale") == [
            [1, 10.0, "2024-05-01", "2024-05-01 10:00:00", "first", "text"],
            [2, 2.5, None, "2024-05-02 11:30:00", "", "�A"],
        ]
        assert await rows(client, 'odd "name') == [["Inf"], ["1.5"]]
        assert await rows(client, "sale", {"filter[made]": "2024-05-01 10:00:00", "select[]": ["id"]}) == [
            [1]
        ]
        assert await rows(client, "sale", {"filter[note]": "", "select[]": ["id"]}) == [[2]]


def test_an_answer_outlives_whoever_opened_the_tables(tmp_path: Path) -> None:
    answer = open_tables(written(tmp_path, "id\n1\n2\n")).rows("orders", parse_query({}))
    gc.collect()

    assert [list(row) for row in answer] == [["id"], [1], [2]]


def test_a_sqlite_file_cannot_be_written(database: Path) -> None:
    tables = open_tables(database)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        tables._connection.execute("DELETE FROM sale")


async def test_a_data_file_that_breaks_while_serving_is_reported_without_details(database: Path) -> None:
    async with connector(database) as client:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("DROP TABLE sale")
        response = await call(client, "/data", {"table": "sale"})

    assert response.status_code == 500
    assert response.json() == {"error": "The data file could not be read just now."}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "orders.csv does not begin with a line of column names."),
        (b"id,name\n1,A\n2\n", "orders.csv, line 3: 1 values for 2 columns"),
        (b"id,ID\n1,2\n", "orders.csv names the column 'id' more than once."),
        (b"id\n\xcc\xee\xf1\n", "orders.csv is not UTF-8 text; save it as CSV in UTF-8."),
        (b"SQLite format 3\x00 and then something else", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_at_start(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as refused:
        create_app(file, password=Secret("x"))
    assert sentence in str(refused.value)


def test_a_missing_file_and_an_empty_folder_are_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        create_app(tmp_path / "none.csv", password=Secret("x"))
    with pytest.raises(ConfigError, match="holds no table"):
        create_app(tmp_path, password=Secret("x"))


def test_data_of_ones_own_needs_a_password_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password"):
        create_app(written(tmp_path, "id\n1\n"))


async def test_the_page_of_private_data_shows_neither_tables_nor_password(tmp_path: Path) -> None:
    app = create_app(written(tmp_path, "id\n1\n"), password=Secret("s3cret"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        page = (await client.get("/")).text

    assert "urlTableList" in page
    assert "orders" not in page
    assert "s3cret" not in page
    assert "demo-password" not in page


@pytest.mark.parametrize(
    ("code", "name"), [("tail_number", "TAIL_NUMBER"), ("2nd", "2nd"), ("Сумма", "Сумма")]
)
def test_a_columns_name_is_its_code_in_the_spelling_of_a_dataset_where_that_is_enough(
    code: str, name: str
) -> None:
    assert TableColumn(code, "int").name == name
