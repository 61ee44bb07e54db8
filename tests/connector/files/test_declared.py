"""Files that say themselves what their values are: JSON, workbooks, Parquet, SQLite."""

from __future__ import annotations

import gzip
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import orjson
import pytest

from bi_mcp.connector.files import open_files
from bi_mcp.connector.files.spreadsheet import LARGEST_UNPACKED
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.refusal import SourceError
from bi_mcp.errors import ConfigError
from tests.connector.files.opened import opened, reading
from tests.connector.files.workbook import workbook

OBJECTS = (
    '{"id": 1, "name": "a", "price": 2.50, "at": "2024-05-01T10:00:00Z", "code": "12", "ok": true}\n'
    '{"id": 2, "name": null, "tags": ["x", {"y": 1}], "price": 3, "code": "13", "ok": false}\n'
)
LISTED = "[" + OBJECTS.replace("\n", ",").rstrip(",") + "]"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (OBJECTS, "orders.jsonl"),
        ("\ufeff" + OBJECTS.replace("\n", "\r\n\r\n"), "orders.ndjson"),
        (LISTED, "orders.json"),
        (LISTED.replace("},", "},\n\n  "), "orders.csv"),
    ],
)
def test_json_is_read_with_its_own_types(tmp_path: Path, text: str, name: str) -> None:
    with reading(tmp_path, text, name, time_zone=ZoneInfo("Europe/Moscow")) as found:
        assert found.types() == {
            "id": "int",
            "name": "string",
            "price": "double",
            "at": "datetime",
            "code": "string",
            "ok": "int",
            "tags": "string",
        }
        assert found.rows() == [
            [1, "a", 2.5, "2024-05-01 13:00:00", "12", 1, None],
            [2, None, 3.0, None, "13", 0, '["x",{"y":1}]'],
        ]


@pytest.mark.parametrize(
    "text",
    [
        '[["id", "name"], [1, "a"], [2, "b"]]',
        '["id", "name"]\n[1, "a"]\n[2, "b"]\n',
        '{"ok": true, "items": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}',
    ],
)
def test_lists_of_values_and_wrapped_objects_are_rows(tmp_path: Path, text: str) -> None:
    with reading(tmp_path, text, "orders.json") as found:
        assert found.types() == {"id": "int", "name": "string"}
        assert found.rows() == [[1, "a"], [2, "b"]]


def test_json_may_be_packed_with_gzip(tmp_path: Path) -> None:
    with reading(tmp_path, gzip.compress(OBJECTS.encode()), "orders.jsonl.gz") as found:
        assert len(found.rows()) == 2


def test_json_larger_than_a_piece_is_read(tmp_path: Path) -> None:
    text = "".join(f'{{"id": {number}, "note": "{"x" * 500}"}}\n' for number in range(2000))
    with reading(tmp_path, text, "orders.jsonl") as found:
        assert [row[0] for row in found.rows()] == list(range(2000))


def test_a_broken_line_of_json_is_refused_by_its_number(tmp_path: Path) -> None:
    with reading(tmp_path, '{"id": 1}\n{"id": 2}\n{"id": oops}\n', "orders.jsonl") as found:
        with pytest.raises(SourceError) as refused:
            found.types()
        assert refused.value.cause.startswith("orders.jsonl, line 3: this is not valid JSON.")


SHEET: Sequence[Sequence[int | float | str | bool | date | datetime | None]] = [
    ["Report of the year"],
    [],
    ["id", "sum", "day", "at", "paid", "zip", "note"],
    [1, 2.5, date(2024, 5, 1), datetime(2024, 5, 1, 10, 30), True, "007", "first"],  # noqa: DTZ001 - cells have no zone
    [2, "#N/A", None, datetime(2024, 5, 2, 11, 0), False, "008", None],  # noqa: DTZ001 - cells have no zone
    [3, 1e15, date(2024, 5, 3), None, None, None, "4"],
]


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv"])
def test_cells_of_a_workbook_say_what_they_are(tmp_path: Path, name: str) -> None:
    with reading(tmp_path, workbook({"Sheet1": SHEET}), name) as found:
        assert found.types() == {
            "id": "int",
            "sum": "double",
            "day": "date",
            "at": "datetime",
            "paid": "int",
            "zip": "string",
            "note": "string",
        }
        assert found.rows() == [
            [1, 2.5, "2024-05-01", "2024-05-01 10:30:00", 1, "007", "first"],
            [2, None, None, "2024-05-02 11:00:00", 0, "008", None],
            [3, 1e15, "2024-05-03", None, None, None, "4"],
        ]
        assert "lines left out before the column names: 1" in found.notes()


def test_every_sheet_is_a_table(tmp_path: Path) -> None:
    content = workbook(
        {"Май 2024": SHEET, "empty": [], "other": [["a"], [1]], "secret": [["b"], [2]]}, ["secret"]
    )
    with reading(tmp_path, content, "orders.xlsx") as found:
        assert list(found.source.tables()) == ["empty", "other", "Май 2024"]
        assert found.rows("other") == [[1]]
        assert len(found.rows("Май 2024")) == 3
        found.source.load()
        assert list(found.source.tables()) == ["other", "Май 2024"]
        assert "is empty" in found.source.left_out_tables()["orders.xlsx, 'empty'"]
    with opened(tmp_path) as found:
        assert found.source.tables()["orders.Май 2024"] == "Orders – Май 2024"


def parquet(folder: Path, select: str) -> Path:
    file = folder / "orders.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return file


def test_a_workbook_that_unpacks_to_more_than_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id\n1\n")
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (LARGEST_UNPACKED + 1))
    with opened(tmp_path) as found:
        assert list(found.source.tables()) == ["orders"]
        assert "Save its sheets as CSV" in found.source.left_out_tables()["bomb.xlsx"]


def test_columns_of_parquet_have_the_types_that_they_declare(tmp_path: Path) -> None:
    file = parquet(
        tmp_path,
        "SELECT 1::INTEGER AS id, 12.50::DECIMAL(10,2) AS price, 5::DECIMAL(10,0) AS n, 1.5::FLOAT AS f, 'NaN'::DOUBLE AS x, "
        "1234567890123456.78::DECIMAL(18,2) AS long, DATE '2024-05-01' AS day, TIMESTAMP '2024-05-01 10:00:00.5' AS at, "
        "TIMESTAMPTZ '2024-05-01 10:00:00+00' AS zoned, true AS ok, '007' AS code, [1, 2] AS list, {'a': 1} AS struct, "
        "'x'::BLOB AS raw, NULL::BIGINT AS nothing, TIME '10:00' AS t",
    )
    with opened(file, time_zone=ZoneInfo("Europe/Moscow"), long_numbers="text") as found:
        assert found.types() == {
            "id": "int",
            "price": "double",
            "n": "int",
            "f": "double",
            "x": "double",
            "long": "string",
            "day": "date",
            "at": "datetime",
            "zoned": "datetime",
            "ok": "int",
            "code": "string",
            "list": "string",
            "struct": "string",
            "nothing": "int",
            "t": "string",
        }
        assert found.rows() == [
            [
                1,
                12.5,
                5,
                1.5,
                None,
                "1234567890123456.78",
                "2024-05-01",
                "2024-05-01 10:00:00",
                "2024-05-01 13:00:00",
                1,
                "007",
                "[1,2]",
                '{"a":1}',
                None,
                "10:00:00",
            ]
        ]
        assert found.source.left_out("orders") == {"raw": "It holds binary data."}
        assert "become the time of" in found.notes()


def test_long_numbers_of_parquet_keep_their_digits(tmp_path: Path) -> None:
    file = parquet(
        tmp_path,
        "SELECT 1234567890123456.78::DECIMAL(18,2) AS a, 18446744073709551615::UBIGINT AS b",
    )
    with opened(file) as found:
        assert found.types() == {"a": "double", "b": "int"}
        assert orjson.dumps(found.rows()) == b"[[1234567890123456.78,18446744073709551615]]"
        assert found.rows(form=[("filter[b]", "5")]) == []


def test_an_empty_parquet_file_has_types(tmp_path: Path) -> None:
    with opened(parquet(tmp_path, "SELECT 1 AS id, DATE '2024-05-01' AS day LIMIT 0")) as found:
        assert found.types() == {"id": "int", "day": "date"}
        assert found.rows() == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop ?#%20.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE sale (id INTEGER, sum REAL, day DATE, raw BLOB); INSERT INTO sale VALUES (1, 2.5, '2024-05-01', x'00ff');"
        )
    return file


def test_a_sqlite_file_is_read_where_it_is(shop: Path) -> None:
    with opened(shop) as found:
        assert list(found.source.tables()) == ["sale"]
        assert found.types() == {"id": "int", "sum": "double", "day": "date"}
        assert found.rows() == [[1, 2.5, "2024-05-01"]]
        assert list(found.source.left_out("sale")) == ["raw"]
        with closing(sqlite3.connect(shop)) as connection:
            connection.executescript(
                "INSERT INTO sale VALUES (2, 3.5, NULL, NULL); CREATE TABLE more (id INTEGER)"
            )
        assert [row[0] for row in found.rows("sale")] == [1, 2]
        assert list(found.source.tables()) == ["more", "sale"]


def test_a_sqlite_file_in_a_folder_lends_its_tables_its_name(shop: Path) -> None:
    (shop.parent / "orders.csv").write_text("id\n1\n")
    with opened(shop.parent) as found:
        assert list(found.source.tables()) == ["orders", "shop ?#%20.sale"]
        assert found.rows("shop ?#%20.sale") == [[1, 2.5, "2024-05-01"]]


def test_a_broken_sqlite_file_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    file.write_bytes(b"SQLite format 3\0 and then something else")
    with pytest.raises(ConfigError, match=r"shop\.db cannot be read as a SQLite file"):
        open_files(file, SourceOptions())
