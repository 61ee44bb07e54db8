"""Texts as programs of all kinds write them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from bi_mcp.connector.refusal import SourceError
from bi_mcp.errors import ConfigError
from tests.connector.files.opened import opened, reading


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
def test_the_delimiter_is_found_by_looking(tmp_path: Path, delimiter: str, end: str, start: str) -> None:
    rows = [["Номер заказа", "Сумма"], ["1", "2.5"], ["", ""], ["2", "10"]]
    text = start + end.join(delimiter.join(row) for row in rows)
    with reading(tmp_path, text) as found:
        assert found.types() == {"Номер заказа": "int", "Сумма": "double"}
        assert found.rows() == [[1, 2.5], [2, 10.0]]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("utf-8-sig", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("utf-16", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("utf-16-be", "\ufeffДата;Сумма\n05.03.2024;12,5\n"),
        ("utf-16-le", "Date;Sum\n05.03.2024;12,5\n"),
        ("utf-32", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("cp1251", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("koi8-r", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("cp866", "Дата;Сумма\n05.03.2024;12,5\n"),
        ("cp1252", "Größe;Übermaß\n05.03.2024;12,5\n"),
        ("cp1252", "Prénom;Année\n05.03.2024;12,5\n"),
    ],
)
def test_the_encoding_is_found_by_mark_or_letters(tmp_path: Path, encoding: str, text: str) -> None:
    with reading(tmp_path, text.encode(encoding)) as found:
        assert list(found.types()) == text.splitlines()[0].removeprefix("\ufeff").split(";")
        assert found.rows() == [["2024-03-05", 12.5]]
        assert ("guessed" in found.notes()) == (
            encoding in {"utf-16-le", "cp1251", "koi8-r", "cp866", "cp1252"}
        )


def test_one_letter_of_an_old_encoding_is_enough(tmp_path: Path) -> None:
    with reading(tmp_path, b"a,b\n1,2\n3,\xa9") as found:
        assert found.rows() == [[1, "2"], [3, "©"]]


def test_an_old_encoding_is_seen_far_behind_the_head(tmp_path: Path) -> None:
    text = "город;n\n".encode("cp1251").replace("город".encode("cp1251"), b"city") + b"Rome;1\n" * 200_000
    with reading(tmp_path, text + "Москва;2\n".encode("cp1251")) as found:
        assert found.rows(form=[("filter[n]", "2")]) == [["Москва", 2]]


def test_a_declared_encoding_counts_where_the_text_does_not_say_its_own(tmp_path: Path) -> None:
    with reading(tmp_path, "name\nŁódź\n".encode("cp1250"), encoding="cp1250") as found:
        assert found.column("name") == ["Łódź"]
    with reading(tmp_path, "name\nŁódź\n", encoding="cp1250") as found:
        assert found.column("name") == ["Łódź"]
    with (
        pytest.raises(ConfigError, match="'klingon' is not an encoding"),
        reading(tmp_path, b"name\n\xff\n", encoding="klingon"),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("sep=;\nid;sum\n1;2,5\n", ["id", "sum"], [[1, 2.5]]),
        ("# exported today\nid,name\n1,a\n# a break\n2,b\n", ["id", "name"], [[1, "a"], [2, "b"]]),
        ("Report 2024\n\nid;name;sum\n1;a;2\n2;b;3\n", ["id", "name", "sum"], [[1, "a", 2], [2, "b", 3]]),
        (",,,\nTitle,,,\nid,a,b,c\n1,2,3,4\n5,6,7,8\n", ["id", "a", "b", "c"], [[1, 2, 3, 4], [5, 6, 7, 8]]),
        ("id,name,age\n1,a,3\n,,\n,,\n\n2,b,4\n", ["id", "name", "age"], [[1, "a", 3], [2, "b", 4]]),
        ("id,name,\n1,a,\n2,b,\n", ["id", "name"], [[1, "a"], [2, "b"]]),
        ("id,name\n1,a,\n2,b,,\n", ["id", "name"], [[1, "a"], [2, "b"]]),
        ("a,b,,\nx,,,\n,y,\n", ["a", "b"], [["x", None], [None, "y"]]),
        ("a,,c\n1,2,3\n", ["a", "column_2", "c"], [[1, 2, 3]]),
        ("a,0,A,a\n1,2,3,4\n", ["a", "column_2", "A_2", "a_3"], [[1, 2, 3, 4]]),
        (
            'a,b\n1,"ha ""ha"" ha"\n3,"x\ny"\n4,5" tv\n',
            ["a", "b"],
            [[1, 'ha "ha" ha'], [3, "x\ny"], [4, '5" tv']],
        ),
        ('a,b\r1,2\r"x\ry",3\r', ["a", "b"], [["1", 2], ["x\ry", 3]]),
        ("a,b\r\n1,2\n3,4\r\n", ["a", "b"], [[1, 2], [3, 4]]),
        ('a,b\n1,"",\n2,3\n', ["a", "b"], [[1, None], [2, 3]]),
        ("a,b\n1,x\\, y\n2,z\n", ["a", "b"], [[1, "x, y"], [2, "z"]]),
        ("Order,Amount [USD]\n1,2.5\n", ["Order", "Amount [USD]"], [[1, 2.5]]),
        ('"a\nb",c\n1,2\n', ["a b", "c"], [[1, 2]]),
        (
            "1,2.5,2024-01-01\n2,3.5,2024-01-02\n",
            ["column_1", "column_2", "column_3"],
            [[1, 2.5, "2024-01-01"], [2, 3.5, "2024-01-02"]],
        ),
        ("country,2019,2020\nDE,1,2\nFR,3,4\n", ["country", "2019", "2020"], [["DE", 1, 2], ["FR", 3, 4]]),
        (
            '"mpg","cyl"\n"Mazda",21,6\n"Fiat",22,4\n',
            ["column_1", "mpg", "cyl"],
            [["Mazda", 21, 6], ["Fiat", 22, 4]],
        ),
        ('a, b, c\n1, x, "y, z"\n2, , w\n', ["a", "b", "c"], [[1, "x", "y, z"], [2, None, "w"]]),
        ("a,b\n1, x\n2,y\n", ["a", "b"], [[1, " x"], [2, "y"]]),
        ("only\n1\n2\n", ["only"], [[1], [2]]),
        ("1,2.5,3\n", ["column_1", "column_2", "column_3"], [[1, 2.5, 3]]),
        ("a,b\n1,2\0\n", ["a", "b"], [[1, 2]]),
        ('a\tb\n1\t"x" y\n2\t"z\n', ["a", "b"], [[1, '"x" y'], [2, '"z']]),
        ("a b c\nx 1 2\ny 3 4\n", ["a", "b", "c"], [["x", 1, 2], ["y", 3, 4]]),
        ("full name\nJohn Smith\nJane Doe\n", ["full name"], [["John Smith"], ["Jane Doe"]]),
        (
            "a,b,c,d,e\n1,2,3,4,\n5,6,7,8,\n",
            ["a", "b", "c", "d", "e"],
            [[1, 2, 3, 4, None], [5, 6, 7, 8, None]],
        ),
        ("remark\nfirst, second\nthird\nfourth, fifth, sixth\n", ["remark"], None),
        ("id,name\n", ["id", "name"], []),
        ("a,b,c\n1,2,3\n4,5,6\n====\nSource: nobody\n", ["a", "b", "c"], [[1, 2, 3], [4, 5, 6]]),
        (
            "a,b,c\nx,2,3\ny,5,6\nA long remark below the table,,\n",
            ["a", "b", "c"],
            [["x", 2, 3], ["y", 5, 6]],
        ),
        ("a,b,c\n1,2,3\n-10,,\n", ["a", "b", "c"], [[1, 2, 3], [-10, None, None]]),
        ("a,b,c\nx,2,3\nAcme Trading,,\n", ["a", "b", "c"], [["x", 2, 3], ["Acme Trading", None, None]]),
        (
            "Who,,How,,,Why,\nName,Firm,Yes,No,Yes,Yes,No\nA,B,,No,,,\nC,D,Yes,,Yes,,\n",
            ["Who – Name", "Who – Firm", "How – Yes", "How – No", "How – Yes_2", "Why – Yes", "Why – No"],
            None,
        ),
    ],
)
def test_a_table_is_found_in_what_stands_around_it(
    tmp_path: Path, text: str, columns: list[str], rows: list[list[Any]] | None
) -> None:
    with reading(tmp_path, text) as found:
        assert list(found.types()) == columns
        if rows is not None:
            assert found.rows() == rows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "id,name\n1,A\n2\n",
            "orders.csv, line 3: it does not fit the columns (values: 1, columns: 2, delimiter: ',')",
        ),
        (
            "a,b,c\n1,2,,too long\n,too short\n",
            "orders.csv, line 2: it does not fit the columns (values: 4, columns: 3",
        ),
        (
            "id,name,age\n1101,John\n1102,Julie,26,Potatoes\n",
            "orders.csv, line 2: it does not fit the columns (values: 2, columns: 3",
        ),
        (
            "# clean\nid,n,m,p\n1,a,b,6\n2,3,f,n/a,x\n5\n",
            "orders.csv, line 4: it does not fit the columns (values: 5, columns: 4",
        ),
        (
            "a,b\n" + "1,2\n" * 5000 + "3\n",
            "orders.csv, line 5002: it does not fit the columns (values: 1, columns: 2",
        ),
        ("a,b,c\n1,2\n3,4\n", "orders.csv, line 2: it does not fit the columns (values: 2, columns: 3"),
        ('a,b\n1,"2\n3,4\n', "a quote is opened and never closed"),
        ('a,b\n1,"2"x\n3,4\n', "orders.csv, after line"),
    ],
)
def test_a_line_of_another_width_is_refused_by_its_number(tmp_path: Path, text: str, sentence: str) -> None:
    with reading(tmp_path, text) as found:
        with pytest.raises(SourceError) as refused:
            found.source.columns("orders")
        assert sentence in refused.value.cause
        assert "orders" not in str(refused.value)
        assert found.source.tables() == {}
        assert sentence in found.source.left_out_tables()["orders.csv"]
        with pytest.raises(ConfigError) as failed:
            found.source.load()
        assert sentence in str(failed.value)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "orders.csv", "orders.csv is empty."),
        (b"\xef\xbb\xbf\n \n", "orders.csv", "orders.csv is empty."),
        (b"%PDF-1.7 ...", "orders.csv", "orders.csv is a PDF document"),
        (b"<!DOCTYPE html><html><body><table></table>", "orders.xls", "orders.xls is an HTML page"),
        (b'<?xml version="1.0"?><rows/>', "orders.csv", "orders.csv is an XML document"),
        (b"\x7fELF\x01\x02\0\x03\x04\x05\x06\x07\x08\x09", "orders.csv", "orders.csv is a binary file"),
        (b"\x1f\x8bnot gzip", "orders.csv.gz", "orders.csv.gz is a damaged gzip file."),
        (b"PK\x03\x04 broken", "orders.csv", "orders.csv is a damaged ZIP archive."),
        (b"PAR1 broken PAR1", "orders.parquet", None),
        (b"just a remark\nand another one\n", "notes.txt", "notes.txt is a text without columns."),
    ],
)
def test_a_file_that_is_not_a_table_is_refused_by_its_own_kind(
    tmp_path: Path, content: bytes, name: str, sentence: str | None
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=sentence or "damaged Parquet"), opened(file) as found:
        found.source.load()


def test_a_text_packed_with_gzip_is_read(tmp_path: Path) -> None:
    with reading(tmp_path, gzip.compress(b"a,b\n1,2\n"), "orders.csv.gz") as found:
        assert found.source.tables() == {"orders": "Orders"}
        assert found.rows() == [[1, 2]]
    with reading(tmp_path, gzip.compress("a;дата\n1;2\n".encode("cp1251")), "orders.csv.gz") as found:
        assert found.rows() == [[1, 2]]
        assert list(found.types()) == ["a", "дата"]


def test_a_packed_text_that_breaks_off_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(300_000)))
    with reading(tmp_path, packed[:-20_000], "orders.csv.gz") as found:
        with pytest.raises(SourceError) as refused:
            found.types()
        assert refused.value.cause.startswith("orders.csv.gz is a damaged gzip file.")


def test_columns_have_legal_codes_unless_others_are_wanted(tmp_path: Path) -> None:
    with reading(tmp_path, "Сумма заказа,id\n1,2\n", spelling="legal") as found:
        assert list(found.types()) == ["SUMMA_ZAKAZA", "ID"]
        assert found.source.columns("orders")[0].identifier == "Сумма заказа"
        assert found.rows(form=[("filter[>SUMMA_ZAKAZA]", "0"), ("select[]", "ID")]) == [[2]]


def test_lost_characters_are_told(tmp_path: Path) -> None:
    with reading(tmp_path, "a,b\n1,M\ufffdnchen\n") as found:
        assert "lost before the file was written (U+FFFD): 1" in found.notes()
    with reading(tmp_path, "город,n\nМосква,1\nТверь,2\n".encode() + b"\xff,3\n") as found:
        assert found.column("город") == ["Москва", "Тверь", "\ufffd"]
        assert "cannot be read (U+FFFD)" in found.notes()
    with reading(tmp_path, b"a,b\n1,\x98\n", encoding="cp1251") as found:
        assert "cannot be read (U+FFFD)" in found.notes()


def test_a_very_long_cell_is_read(tmp_path: Path) -> None:
    with reading(tmp_path, f"a,b\n1,{'x' * 100_000}\n") as found:
        assert len(found.rows()[0][1]) == 100_000
