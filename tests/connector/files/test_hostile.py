"""Files that look harmless and were read wrongly."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.connector.files.opened import opened, reading
from tests.connector.files.workbook import Cell, workbook


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_cyrillic_of_two_bytes_needs_no_mark(tmp_path: Path, encoding: str) -> None:
    with reading(tmp_path, "Город;Сумма\nОмск;1,5\n".encode(encoding)) as found:
        assert found.rows() == [["Омск", 1.5]]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "НАИМЕНОВАНИЕ;СУММА\nООО РОМАШКА;1\nЗАО ЯЩИК;2\n"),
        ("koi8-r", "НАИМЕНОВАНИЕ;СУММА\nООО РОМАШКА;1\nЗАО ЯЩИК;2\n"),
        ("cp1252", "mot;n\n«bonjour»;1\nl’été;2\nFläche m²;3\n"),
        ("iso8859-2", "miasto;kwota\nŁódź;1\nŚrem;2\nŻywiec źdźbło;3\nświat;4\n"),
        ("cp1250", "miasto;kwota\nŁódź;1\nKraków;2\nGdańsk;3\nWrocław;4\n"),
        ("shift_jis", "都市,n\n東京都,1\n大阪府,2\n"),
        ("gb18030", "城市,n\n北京,1\n上海,2\n"),
    ],
)
def test_old_encodings_of_other_countries_are_found(tmp_path: Path, encoding: str, text: str) -> None:
    with reading(tmp_path, text.encode(encoding)) as found:
        assert [str(row[0]) for row in found.rows()] == [
            line.replace(";", ",").split(",")[0] for line in text.splitlines()[1:]
        ]
        assert "guessed" in found.notes()


def test_commas_in_a_single_column_are_decimal_marks(tmp_path: Path) -> None:
    with reading(tmp_path, "сумма\n1,5\n2,25\n") as found:
        assert found.types() == {"сумма": "double"}
        assert found.rows() == [[1.5], [2.25]]


def test_a_cell_of_a_megabyte_is_read(tmp_path: Path) -> None:
    with reading(tmp_path, f"a,b\n1,{'x' * 1_000_000}\n2,y\n") as found:
        assert [len(str(text)) for text in found.column("b")] == [1_000_000, 1]


@pytest.mark.parametrize(
    ("none", "day", "type"),
    [
        ("01.01.0001 0:00:00", "05.03.2024 10:00:00", "datetime"),
        ("01.01.0001", "05.03.2024", "date"),
        ("  .  .    ", "05.03.2024", "date"),
        ("0000-00-00 00:00:00", "2024-03-05 10:00:00", "datetime"),
        ("0000-00-00", "2024-03-05", "date"),
    ],
)
def test_days_that_stand_for_none_are_missing(tmp_path: Path, none: str, day: str, type: str) -> None:
    with reading(tmp_path, f"id;day\n1;{none}\n2;{day}\n") as found:
        assert found.types()["day"] == type
        assert found.column("day")[0] is None
        assert found.column("day")[1].startswith("2024-03-05")
        assert "values such as n/a that count as missing: 1 of 2" in found.notes()


def test_formulas_that_keep_digits_texts_are_unwrapped(tmp_path: Path) -> None:
    with reading(tmp_path, 'id\tcode\n1\t="007"\n2\t="12"\n', "orders.tsv") as found:
        assert found.column("code") == ["007", "12"]
        assert 'values written as ="…" are what is within' in found.notes()


def test_days_above_numbers_are_names(tmp_path: Path) -> None:
    with reading(tmp_path, "city;01.01.2024;01.02.2024\nOmsk;1;2\nTver;3;4\n") as found:
        assert found.types() == {"city": "string", "01.01.2024": "int", "01.02.2024": "int"}


def test_a_short_line_of_totals_does_not_spoil_the_table(tmp_path: Path) -> None:
    with reading(tmp_path, "a;b;c\nx;2;3\ny;5;6\nИтого;7\n") as found:
        assert found.rows() == [["x", 2, 3], ["y", 5, 6]]
        assert "lines left out below the table: 1" in found.notes()


@pytest.mark.parametrize(
    ("sql", "type", "answered"),
    [
        ("0.1::FLOAT", "double", 0.1),
        ("'infinity'::DATE", "date", None),
        ("'-infinity'::TIMESTAMP", "datetime", None),
        ("'infinity'::TIMESTAMPTZ", "datetime", None),
        ("'0044-03-15 (BC)'::DATE", "date", None),
        ("'0044-03-15'::DATE", "date", "0044-03-15"),
        ("NULL", "string", None),
    ],
)
def test_values_of_parquet_that_json_has_no_word_for(
    tmp_path: Path, sql: str, type: str, answered: Any
) -> None:
    file = tmp_path / "orders.parquet"
    duckdb.sql(f"COPY (SELECT {sql} AS v) TO '{file}' (FORMAT parquet)")
    with opened(file) as found:
        assert found.types() == {"v": type}
        assert found.column("v") == [answered]


def test_a_sheet_says_that_it_lost_digits_and_that_it_names_no_columns(tmp_path: Path) -> None:
    sheets: dict[str, list[list[Cell]]] = {
        "accounts": [["account", "n"], [40702810000000012345, 1], [5, 2]],
        "nameless": [[1, 2.5], [3, 4.5]],
        "days": [["city", date(2024, 1, 1)], ["Omsk", 1], ["Tver", 3]],
    }
    file = tmp_path / "orders.xlsx"
    file.write_bytes(workbook(sheets))
    with opened(file) as found:
        assert "numbers of more than 15 digits, of which a workbook loses the last ones" in found.notes(
            "accounts"
        )
        assert "the first line is data" in found.notes("nameless")
        assert found.types("days") == {"city": "string", "2024-01-01": "int"}
        assert found.notes("days") == ""
