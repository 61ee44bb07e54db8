"""Conditions on every type, compared with a plain Python filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bi_mcp.connector.refusal import RefusalError
from tests.connector.files.opened import Opened, reading

TEXT = (
    "id,name,n,x,day,at\n"
    "1,Москва,10,1.5,2024-05-01,2024-05-01 10:00:00\n"
    "2,тверь,,2.5,,\n"
    "3,50% off_x,-3,,2024-05-03,2024-05-03 23:59:59\n"
    "4,,7,0.25,2024-06-01,2024-06-01 00:00:00\n"
    "5,a\\b,10,7,2024-05-31,2024-05-31 12:30:00\n"
)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with reading(tmp_path_factory.mktemp("orders"), TEXT) as found:
        yield found


ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Москва", "n": 10, "x": 1.5, "day": "2024-05-01", "at": "2024-05-01 10:00:00"},
    {"id": 2, "name": "тверь", "n": None, "x": 2.5, "day": None, "at": None},
    {"id": 3, "name": "50% off_x", "n": -3, "x": None, "day": "2024-05-03", "at": "2024-05-03 23:59:59"},
    {"id": 4, "name": None, "n": 7, "x": 0.25, "day": "2024-06-01", "at": "2024-06-01 00:00:00"},
    {"id": 5, "name": "a\\b", "n": 10, "x": 7.0, "day": "2024-05-31", "at": "2024-05-31 12:30:00"},
]


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize(
    ("key", "values", "column", "holds"),
    [
        ("=n", ["10"], "n", lambda v: v == 10),
        ("=n", ["10", "7"], "n", lambda v: v in {10, 7}),
        ("=n", ["10.5"], "n", lambda _: False),
        (">n", ["6.5"], "n", lambda v: v > 6.5),
        (">n", ["8", "-5"], "n", lambda v: v > -5),
        ("<=x", ["2.5"], "x", lambda v: v <= 2.5),
        ("><x", ["1.5", "2.5"], "x", lambda v: 1.5 <= v <= 2.5),
        ("=name", ["Москва"], "name", lambda v: v == "Москва"),
        ("=name", ["москва"], "name", lambda _: False),
        ("%name", ["МОСК"], "name", lambda v: "моск" in v.lower()),
        ("%name", ["%"], "name", lambda v: "%" in v),
        ("%name", ["_"], "name", lambda v: "_" in v),
        ("%name", ["\\"], "name", lambda v: "\\" in v),
        ("=%name", ["т%Ь"], "name", lambda v: v.lower() == "тверь"),
        ("=%name", ["50% OFF_X"], "name", lambda v: v == "50% off_x"),
        ("=%name", ["50% off__"], "name", lambda _: False),
        ("=%name", ["a\\%"], "name", lambda v: v == "a\\b"),
        ("%n", ["1"], "n", lambda v: "1" in str(v)),
        ("=day", ["31.05.2024"], "day", lambda v: v == "2024-05-31"),
        ("<=day", ["31.05.2024 23:59:59"], "day", lambda v: v <= "2024-05-31"),
        (">=day", ["2024-05-31 00:00:01"], "day", lambda v: v > "2024-05-31"),
        ("><at", ["01.05.2024", "31.05.2024 23:59:59"], "at", lambda v: v <= "2024-05-31 23:59:59"),
        ("=at", ["2024-06-01"], "at", lambda v: v == "2024-06-01 00:00:00"),
        ("%at", ["2024-05"], "at", lambda v: "2024-05" in v),
    ],
)
def test_a_condition_answers_the_rows_that_python_would(
    orders: Opened, negated: bool, key: str, values: list[str], column: str, holds: Callable[[Any], bool]
) -> None:
    form = [(f"filter[{'!' * negated}{key}][{at}]", value) for at, value in enumerate(values)]
    expected = [row["id"] for row in ROWS if (row[column] is not None and holds(row[column])) is not negated]
    assert [row[0] for row in orders.rows(form=[*form, ("select[]", "id")])] == expected


@pytest.mark.parametrize(
    ("column", "missing"), [("name", [4]), ("n", [2]), ("x", [3]), ("day", [2]), ("at", [2]), ("id", [])]
)
def test_empty_asks_for_missing_values_and_empty_texts(
    orders: Opened, column: str, missing: list[int]
) -> None:
    assert [row[0] for row in orders.rows(form=[(f"filter[={column}]", "")])] == missing
    assert [row[0] for row in orders.rows(form=[(f"filter[!={column}]", "")])] == [
        row["id"] for row in ROWS if row["id"] not in missing
    ]


def test_groups_select_and_limit(orders: Opened) -> None:
    form = [
        ("filter[0][LOGIC]", "OR"),
        ("filter[0][0][=n][0]", "10"),
        ("filter[0][1][=n]", ""),
        ("filter[1][<id][0]", "5"),
        ("select[]", "name"),
        ("select[]", "id"),
    ]
    assert orders.rows(form=form) == [["Москва", 1], ["тверь", 2]]
    assert orders.rows(form=[*form, ("limit", "1")]) == [["Москва", 1]]
    assert orders.rows(form=[("limit", "0")]) == []


def test_what_looks_like_sql_is_a_value(orders: Opened) -> None:
    for text in ("' OR 1=1 --", '"; DROP TABLE store.data_2; --', "?", "{}"):
        assert orders.rows(form=[("filter[name]", text)]) == []
        with pytest.raises(RefusalError):
            orders.rows(form=[(f"filter[{text}]", "1")])
    assert len(orders.rows()) == 5
