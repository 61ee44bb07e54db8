"""What a person would say that the values of a column are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bi_mcp.connector.question.dates import Culture
from tests.connector.files.opened import reading

NBSP = "\u00a0"
THIN = "\u2009"


def lines(values: list[str]) -> str:
    """A tab-delimited table, so that the values need no quotes."""
    return "\n".join(["id\tvalue", *(f"{number}\t{value}" for number, value in enumerate(values))]) + "\n"


@pytest.mark.parametrize(
    ("values", "type", "answered"),
    [
        (["1", "-20", ""], "int", [1, -20, None]),
        (["1", "2.50", "1e-05"], "double", [1.0, 2.5, 0.00001]),
        (["-0", "0"], "int", [0, 0]),
        ([".097", "1"], "double", [0.097, 1.0]),
        (["2.5", "-.5"], "double", [2.5, -0.5]),
        (["-2.00E-02", "3E+3", "1.5e3"], "double", [-0.02, 3000.0, 1500.0]),
        (["2,5", "1200,75"], "double", [2.5, 1200.75]),
        (["-1 850,50", "250 000,00"], "double", [-1850.5, 250000.0]),
        ([f"1{NBSP}850,50", f"12{THIN}000"], "double", [1850.5, 12000.0]),
        (["1 850", "12 000 000"], "int", [1850, 12000000]),
        (["1.234.567,89", "5"], "double", [1234567.89, 5.0]),
        (["1,234,567.89", "5"], "double", [1234567.89, 5.0]),
        (["200.000.000"], "int", [200000000]),
        (["1'234.50", "2’000.00"], "double", [1234.5, 2000.0]),
        (["(1,234.00)", "12.50"], "double", [-1234.0, 12.5]),
        (["−5", "–7"], "int", [-5, -7]),
        ([" 12 ", "7"], "int", [12, 7]),
        (["$4,000", "$12,500"], "int", [4000, 12500]),
        (["-$5.50", "$4.00 "], "double", [-5.5, 4.0]),
        (["1 200,50 руб.", "3 руб."], "double", [1200.5, 3.0]),
        (["€ 5", "7 €"], "int", [5, 7]),
        (["100 USD", "20 USD"], "int", [100, 20]),
        (["12%", "3.5%"], "double", [12.0, 3.5]),
        (["+12 %", "-3 %"], "int", [12, -3]),
        (["TRUE", "false", ""], "int", [1, 0, None]),
        (["007", "12"], "string", ["007", "12"]),
        (["5", "", "007"], "string", ["5", None, "007"]),
        (["+79161234567"], "string", ["+79161234567"]),
        (["4276380012345678"], "string", ["4276380012345678"]),
        (["123456789012345"], "int", [123456789012345]),
        (["12E4"], "string", ["12E4"]),
        (["yes", "no"], "string", ["yes", "no"]),
        (["nan", "inf"], "string", ["nan", "inf"]),
        (["1", "x"], "string", ["1", "x"]),
        (["$4", "5%"], "string", ["$4", "5%"]),
        (["$4", "€5"], "string", ["$4", "€5"]),
        (["1.2.10", "1.4.99"], "string", ["1.2.10", "1.4.99"]),
        (["1", "2024-02-29"], "string", ["1", "2024-02-29"]),
        (["", ""], "string", [None, None]),
        (["a", "\\N"], "string", ["a", None]),
    ],
)
def test_numbers_and_texts(tmp_path: Path, values: list[str], type: str, answered: list[Any]) -> None:
    with reading(tmp_path, lines(values), "orders.tsv") as found:
        assert found.types()["value"] == type
        assert found.column("value") == answered


@pytest.mark.parametrize(
    "mark", ["NA", "N/A", "#N/A", "NULL", "null", "-", "nan", "", "None", "INF", "#DIV/0!", "н/д"]
)
def test_marks_of_missing_values_are_missing_among_numbers_and_dates(tmp_path: Path, mark: str) -> None:
    text = f"n\tx\tday\n1\t2.5\t2024-05-01\n{mark}\t{mark}\t{mark}\n2\t3\t2024-05-02\n"
    with reading(tmp_path, text, "orders.tsv") as found:
        assert found.types() == {"n": "int", "x": "double", "day": "date"}
        if mark:
            assert "values such as n/a that count as missing: 1 of 3" in found.notes()
        expected = [[1, 2.5, "2024-05-01"], [2, 3.0, "2024-05-02"]]
        assert found.rows() == (expected if not mark else [expected[0], [None, None, None], expected[1]])


def test_marks_of_missing_values_stay_among_texts(tmp_path: Path) -> None:
    with reading(tmp_path, "id,code\n1,NA\n2,DE\n3,-\n4,\n") as found:
        assert found.column("code") == ["NA", "DE", "-", None]


@pytest.mark.parametrize(
    ("values", "type", "answered"),
    [
        (["2024-02-29", ""], "date", ["2024-02-29", None]),
        (["2024-2-9"], "date", ["2024-02-09"]),
        (
            ["2024-02-29 10:00:00", "2024-03-01T09:30"],
            "datetime",
            ["2024-02-29 10:00:00", "2024-03-01 09:30:00"],
        ),
        (["2024-02-29", "2024-02-29 10:00:00"], "datetime", ["2024-02-29 00:00:00", "2024-02-29 10:00:00"]),
        (["2024-02-29 10:00:00.987654"], "datetime", ["2024-02-29 10:00:00"]),
        (["2023-02-29"], "string", ["2023-02-29"]),
        (["05.03.2024", "17.11.2023"], "date", ["2024-03-05", "2023-11-17"]),
        (
            ["5.3.2024 7:05", "17.11.2023 23:59:59"],
            "datetime",
            ["2024-03-05 07:05:00", "2023-11-17 23:59:59"],
        ),
        (["31.12.2025, 10:00:00"], "datetime", ["2025-12-31 10:00:00"]),
        (["10/13/1998", "11/3/1998"], "date", ["1998-10-13", "1998-11-03"]),
        (["13/10/1998", "3/11/1998"], "date", ["1998-10-13", "1998-11-03"]),
        (["13-10-1998"], "date", ["1998-10-13"]),
        (["2024/05/31", "2024/6/1"], "date", ["2024-05-31", "2024-06-01"]),
        (
            ["12/31/2025 11:59:59 pm", "1/2/2025 12:00 AM"],
            "datetime",
            ["2025-12-31 23:59:59", "2025-01-02 00:00:00"],
        ),
        (["12/31/2025, 1:05:09 PM"], "datetime", ["2025-12-31 13:05:09"]),
        (["31.12.25", "01.02.99"], "date", ["2025-12-31", "1999-02-01"]),
        (["4/28/12", "1/2/12"], "date", ["2012-04-28", "2012-01-02"]),
        (["5 Dec 2024", "31 Jan 2025"], "date", ["2024-12-05", "2025-01-31"]),
        (["05-Dec-2024"], "date", ["2024-12-05"]),
        (["December 5, 2024", "May 1, 2025"], "date", ["2024-12-05", "2025-05-01"]),
        (
            ["Oct 5, 2024 10:00", "Aug 1, 2025 11:30"],
            "datetime",
            ["2024-10-05 10:00:00", "2025-08-01 11:30:00"],
        ),
        (["5 мая 2024", "31 декабря 2025 г."], "date", ["2024-05-05", "2025-12-31"]),
        (["5. März 2024", "31. Dezember 2025"], "date", ["2024-03-05", "2025-12-31"]),
        (["1 août 2024", "3 févr. 2025"], "date", ["2024-08-01", "2025-02-03"]),
        (["30 Feb 2024"], "string", ["30 Feb 2024"]),
        (["20240531"], "int", [20240531]),
        (["2024"], "int", [2024]),
    ],
)
def test_dates_and_moments(tmp_path: Path, values: list[str], type: str, answered: list[Any]) -> None:
    with reading(tmp_path, lines(values), "orders.tsv") as found:
        assert found.types()["value"] == type
        assert found.column("value") == answered


def test_day_and_month_are_never_guessed_silently(tmp_path: Path) -> None:
    with reading(tmp_path, "day\n01/02/2025\n03/04/2025\n") as found:
        assert found.types() == {"day": "string"}
        assert found.column("day") == ["01/02/2025", "03/04/2025"]
        assert "--culture en or en-gb decides" in found.notes()


@pytest.mark.parametrize(
    ("culture", "day"), [("en", "2025-01-02"), ("en-gb", "2025-02-01"), ("ru", "2025-02-01")]
)
def test_a_culture_settles_day_and_month(tmp_path: Path, culture: Culture, day: str) -> None:
    with reading(tmp_path, "day\n01/02/2025\n03/04/2025\n", culture=culture) as found:
        assert found.types() == {"day": "date"}
        assert found.column("day")[0] == day


@pytest.mark.parametrize("late", ["13/04/2025", "04/13/2025"])
def test_one_unambiguous_date_at_the_end_settles_all(tmp_path: Path, late: str) -> None:
    many = "01/02/2025\n03/04/2025\n" * 500
    with reading(tmp_path, f"day\n{many}{late}\n") as found:
        assert found.column("day")[0] == ("2025-02-01" if late.startswith("13") else "2025-01-02")
        assert found.column("day")[-1] == "2025-04-13"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "America/New_York"])
def test_a_moment_with_a_zone_becomes_the_portals_time_and_is_told(tmp_path: Path, zone: str) -> None:
    text = "at\n2020-01-01T15:00:00Z\n2020-01-01T15:00:00+03:00\n2020-07-01 15:00:00.5-04\n"
    with reading(tmp_path, text, time_zone=ZoneInfo(zone)) as found:
        assert found.types() == {"at": "datetime"}
        assert (
            found.column("at")
            == {
                "UTC": ["2020-01-01 15:00:00", "2020-01-01 12:00:00", "2020-07-01 19:00:00"],
                "Europe/Moscow": ["2020-01-01 18:00:00", "2020-01-01 15:00:00", "2020-07-01 22:00:00"],
                "America/New_York": ["2020-01-01 10:00:00", "2020-01-01 07:00:00", "2020-07-01 15:00:00"],
            }[zone]
        )
        assert "become the time of" in found.notes()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('a\n"1,5"\n"1,7"\n', 1.5),
        # Commas between the columns: one within a number sets off thousands.
        ('a,b\n"1,234",x\n', 1234),
        ("a;b\n1,234;x\n", 1.234),
        ("a;b\n1.234;x\n", 1.234),
        # Another column of the file shows its decimal mark.
        ("a;b\n1.234;2,5\n", 1234),
        ('a,b\n"1,234","2,5"\n', 1.234),
    ],
)
def test_a_mark_that_could_be_either_is_read_as_in_the_rest_of_the_file(
    tmp_path: Path, text: str, read: float
) -> None:
    with reading(tmp_path, text) as found:
        assert found.rows()[0][0] == read
        assert found.rows()[0][0] != 1234 or "could be read otherwise" in found.notes()


def test_a_value_far_behind_changes_what_a_column_is(tmp_path: Path) -> None:
    for last, type in [("2.5", "double"), ("x", "string"), ("NA", "int"), ("007", "string"), ("$3", "int")]:
        with reading(tmp_path, "n\n" + "1\n" * 3000 + last + "\n") as found:
            assert found.types() == {"n": type}, last


def test_the_share_of_values_that_fit_is_told(tmp_path: Path) -> None:
    with reading(tmp_path, "n\n" + "1\n2\n3\n" * 33 + "x\n") as found:
        assert found.types() == {"n": "string"}
        assert "99.00% of the values would be int" in found.notes()


def test_declared_types_overrule_what_was_found(tmp_path: Path) -> None:
    types = {"orders": {"zip": "int", "n": "string", "x": "double", "day": "datetime", "mixed": "int"}}
    text = "zip,n,x,day,mixed\n10115,1,2,2024-05-01,1\n10117,2,3,2024-05-02,x\n"
    with reading(tmp_path, text, types=types) as found:
        assert found.types() == {
            "zip": "int",
            "n": "string",
            "x": "double",
            "day": "datetime",
            "mixed": "int",
        }
        assert found.rows() == [
            [10115, "1", 2.0, "2024-05-01 00:00:00", 1],
            [10117, "2", 3.0, "2024-05-02 00:00:00", None],
        ]
        assert "not of the declared type and become missing: 1 of 2" in found.notes()
