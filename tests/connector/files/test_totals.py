"""Rows of totals below a table, and within it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connector.files.opened import opened, reading
from tests.connector.files.workbook import workbook

SALES = "Дата;Товар;Город;Количество;Сумма\n01.03.2024;Чай;Омск;1000,5;1 000 000,4\n02.03.2024;Сыр;Тверь;215;15 400,0\n"


@pytest.mark.parametrize(
    "label", ["Итого", "Итого:", "ИТОГО", "Всего", "Total", "Grand total", "Sum", "Gesamt", "Total général"]
)
def test_a_row_of_totals_is_left_out_and_told(tmp_path: Path, label: str) -> None:
    with reading(tmp_path, f"{SALES}{label};;;1215,5;1 015 400,4\n") as found:
        assert found.types() == {
            "Дата": "date",
            "Товар": "string",
            "Город": "string",
            "Количество": "double",
            "Сумма": "double",
        }
        assert found.column("Сумма") == [1000000.4, 15400.0]
        assert "totals row left out: line 4" in found.notes()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("product,sold\na,1\nb,2\nTotal,3\n", [["a", 1], ["b", 2]]),
        ("id,sold\n1,1\n2,2\nTotal,3\n", [[1, 1], [2, 2]]),
        ("product,price,sold\na,1.5,1\nb,2.5,2\nTotal,n/a,3\n", [["a", 1.5, 1], ["b", 2.5, 2]]),
        ("product,city,sold\na,x,1\nb,y,2\nTotal,,999\n", [["a", "x", 1], ["b", "y", 2]]),
        ("product,sold\na,1\nTotal,1\nGrand total,1\n", [["a", 1]]),
        ("id,sold\n1,1\n2,2\nИтого: 2 заказа,3\n", [[1, 1], [2, 2]]),
        ("product,sold\na,1\nb,2\n" + ",\n" * 50 + "Total,3\n" + ",\n" * 50, [["a", 1], ["b", 2]]),
        ("product,price,sold\na,1,1\nb,2,2\nTotal,1.5,3\n", [["a", 1, 1], ["b", 2, 2]]),
        ("product;sold\na;1 000\nb;20\nИтого;1 020,00\n", [["a", 1000], ["b", 20]]),
        ("product,sold\na,0.335\nb,0.335\nTotal,0.67\n", [["a", 0.335], ["b", 0.335]]),
    ],
)
def test_totals_are_known_by_their_numbers_or_by_what_is_empty(
    tmp_path: Path, text: str, rows: list[list[object]]
) -> None:
    with reading(tmp_path, text) as found:
        assert found.rows() == rows
        assert "totals row left out" in found.notes()


@pytest.mark.parametrize(
    "text",
    [
        "product,sold\na,1\nb,2\nTotal,4\n",
        "company,city,sold\nShell,London,1\nTotal,Paris,2\n",
        "product,remark\na,x\nTotal,\n",
    ],
)
def test_what_only_looks_like_a_total_stays_and_is_told(tmp_path: Path, text: str) -> None:
    with reading(tmp_path, text) as found:
        assert found.rows()[-1][0] == "Total"
        assert len(found.rows()) == text.count("\n") - 1
        assert "the last row looks like a total (Total)" in found.notes()


def test_subtotals_stay_and_are_told(tmp_path: Path) -> None:
    text = "city,sold\nOmsk,1\nOmsk,2\nTotal for Omsk,3\nTver,4\nTotal for Tver,4\nTotal,7\n"
    with reading(tmp_path, text) as found:
        assert len(found.rows()) == 5
        assert "rows that look like subtotals; sums count them: 2" in found.notes()
        assert "totals row left out: line 7" in found.notes()


def test_a_table_of_a_total_only_stays(tmp_path: Path) -> None:
    with reading(tmp_path, "product,sold\nTotal,3\n") as found:
        assert found.rows() == [["Total", 3]]


def test_a_row_of_totals_of_a_sheet_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "orders.xlsx"
    file.write_bytes(
        workbook({"1": [["Товар", "Цена"], ["Чай", 1.5], ["Сыр", 2], [None, None], ["Итого", 3.5]]})
    )
    with opened(file) as found:
        assert found.rows() == [["Чай", 1.5], ["Сыр", 2.0]]
        assert "totals row left out: line 5" in found.notes()
