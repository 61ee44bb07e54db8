"""What the endpoints answer, and the rules their answers break."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from bi_mcp.endpoints.answers import (
    MOST_REPORTS,
    Breach,
    DescribedColumn,
    EndpointAnswer,
    ExternalTable,
    Rows,
    parse_columns,
    parse_rows,
    parse_tables,
)
from bi_mcp.endpoints.elements import ElementReader

ANSWER = EndpointAnswer(status=200, seconds=0.1, size=1)


def read(value: object, enough: int = 1000) -> ElementReader:
    reader = ElementReader(enough)
    reader.feed(json.dumps(value).encode())
    reader.finish()
    return reader


def rows_of(
    value: object,
    select: Sequence[str] = (),
    limit: int | None = None,
    names: Mapping[str, str] | None = None,
    mapped: bool = False,
) -> Rows:
    return parse_rows(read(value), ANSWER, select=select, limit=limit, names=names, mapped=mapped)


def rules(breaches: Sequence[Breach]) -> list[str]:
    return [breach.rule for breach in breaches]


def test_tables_are_read() -> None:
    tables = parse_tables(
        read([{"code": "a", "title": "A"}, {"code": "b", "title": "B", "id": 7, "more": 1}]), ANSWER
    )

    assert tables.items == [ExternalTable("a", "A"), ExternalTable("b", "B", "7")]
    assert [table.external_code for table in tables.items] == ["a", "b"]
    assert tables.breaches == []
    assert not tables.truncated


def test_a_table_with_an_id_is_asked_for_by_its_code() -> None:
    documented = [{"code": "sales_2024", "title": "Sales 2024", "id": "77"}]

    table = parse_tables(read(documented), ANSWER).items[0]

    assert (table.external_code, table.id) == ("sales_2024", "77")


def test_ids_do_not_name_tables_so_they_may_repeat_and_equal_codes() -> None:
    elements = [
        {"code": "a", "title": "A", "id": "1"},
        {"code": "b", "title": "B", "id": "1"},
        {"code": "c", "title": "C", "id": "a"},
    ]

    tables = parse_tables(read(elements), ANSWER)

    assert [table.external_code for table in tables.items] == ["a", "b", "c"]
    assert tables.breaches == []


def test_tables_beyond_the_bound_are_not_read() -> None:
    tables = parse_tables(read([{"code": str(n), "title": "T"} for n in range(1, 6)], enough=3), ANSWER)

    assert len(tables.items) == 3
    assert tables.truncated


@pytest.mark.parametrize(
    ("element", "rule"),
    [
        ({"title": "T"}, "empty_code"),
        ({"code": "", "title": "T"}, "empty_code"),
        ({"code": " ", "title": "T"}, "empty_code"),
        ({"code": None, "title": "T"}, "empty_code"),
        ({"code": ["x"], "title": "T"}, "empty_code"),
        ({"code": True, "title": "T"}, "empty_code"),
        ({"code": "x"}, "empty_title"),
        ({"code": "x", "title": ""}, "empty_title"),
        ({"code": 5, "title": "T"}, "not_text"),
        ({"code": "good", "title": "T"}, "duplicate_code"),
        ("x", "element_not_object"),
        (["x", "T"], "element_not_object"),
        (None, "element_not_object"),
    ],
)
def test_a_broken_table_is_named_and_the_others_are_kept(element: object, rule: str) -> None:
    tables = parse_tables(read([{"code": "good", "title": "G"}, element]), ANSWER)

    assert tables.items[0] == ExternalTable("good", "G")
    assert rules(tables.breaches) == [rule]
    assert tables.breaches[0].where == "table 2"


@pytest.mark.parametrize("value", [{}, {"items": []}, None, "x", 1])
def test_anything_but_an_array_is_named(value: object) -> None:
    assert rules(parse_tables(read(value), ANSWER).breaches) == ["not_array"]
    assert rules(parse_columns(read(value), ANSWER).breaches) == ["not_array"]
    assert rules(rows_of(value).breaches) == ["not_array"]


def test_columns_are_read_and_unknown_types_are_strings() -> None:
    columns = parse_columns(
        read([{"code": "a", "name": "A", "type": "int"}, {"code": "b", "name": "B", "type": "Integer"}]),
        ANSWER,
    )

    assert columns.items == [
        DescribedColumn("a", "A", "int", "int"),
        DescribedColumn("b", "B", "string", "Integer"),
    ]
    assert columns.breaches == [Breach("unknown_type", "column 2", "b: Integer")]


@pytest.mark.parametrize("spelt", ["INT", "Int", "iNT"])
def test_types_are_read_without_regard_to_case(spelt: str) -> None:
    columns = parse_columns(read([{"code": "a", "name": "A", "type": spelt}]), ANSWER)

    assert columns.items == [DescribedColumn("a", "A", "int", "int")]
    assert columns.breaches == []


@pytest.mark.parametrize(
    ("element", "rule"),
    [
        ({"name": "N", "type": "int"}, "empty_code"),
        ({"code": "x", "type": "int"}, "empty_name"),
        ({"code": "x", "name": "N"}, "empty_type"),
        ({"code": "x", "name": "N", "type": ""}, "empty_type"),
        ({"code": "good", "name": "N", "type": "int"}, "duplicate_code"),
        (["x"], "element_not_object"),
    ],
)
def test_a_broken_column_is_named(element: object, rule: str) -> None:
    columns = parse_columns(read([{"code": "good", "name": "G", "type": "date"}, element]), ANSWER)

    assert [column.code for column in columns.items] == ["good"]
    assert rules(columns.breaches) == [rule]


def test_a_table_without_columns_is_named() -> None:
    assert rules(parse_columns(read([]), ANSWER).breaches) == ["empty_array"]


def test_rows_are_read_below_their_header() -> None:
    rows = rows_of([["a", "b"], [1, None], ["x", 2.5]], select=["a", "b"], limit=5)

    assert (rows.header, rows.rows) == (["a", "b"], [[1, None], ["x", 2.5]])
    assert rows.breaches == []
    assert not rows.truncated


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ["header_missing"]),
        ([{"a": 1}], ["header_missing"]),
        ([[]], ["header_missing"]),
        ([[1, 2]], ["header_not_text"]),
        ([["a", ""]], ["header_not_text"]),
        ([["a", None]], ["header_not_text"]),
        ([["a", "a"]], ["header_duplicate"]),
        ([["a"], {"a": 1}], ["row_not_array"]),
        ([["a", "b"], [1]], ["ragged_row"]),
        ([["a"], [1, 2]], ["ragged_row"]),
        ([["a"], [[1]]], ["nested_value"]),
        ([["a"], [{"x": 1}]], ["nested_value"]),
    ],
)
def test_broken_rows_are_named(value: object, expected: list[str]) -> None:
    assert rules(rows_of(value).breaches) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["b", "a"], []),
        (["a", "b"], ["column_order"]),
        (["b"], ["column_missing"]),
        (["b", "a", "c"], ["column_unasked"]),
        (["B", "A"], ["header_missing"]),
        (["1", "x"], ["header_missing"]),
        (["b", "c"], ["column_missing", "column_unasked"]),
    ],
)
def test_a_header_out_of_step_with_select_is_named(header: list[str], expected: list[str]) -> None:
    assert rules(rows_of([header], select=["b", "a"]).breaches) == expected


@pytest.mark.parametrize(
    ("header", "mapped", "expected"),
    [
        (["b", "A"], True, []),
        (["B", "A"], True, ["header_in_names"]),
        (["B", "A"], False, []),
        (["b", "A"], False, ["header_in_codes"]),
        (["x", "A"], True, ["column_missing", "column_unasked"]),
        (["A", "b"], True, ["column_order"]),
    ],
)
def test_a_header_holds_codes_with_map_fields_and_names_without(
    header: list[str], mapped: bool, expected: list[str]
) -> None:
    rows = rows_of([header], select=["B", "A"], names={"b": "B", "A": "A"}, mapped=mapped)

    assert rules(rows.breaches) == expected
    assert rows.columns == ["B" if entry == "b" else entry for entry in header]


@pytest.mark.parametrize("key", ["code", "title"])
def test_a_zero_counts_as_empty_in_a_list_of_tables(key: str) -> None:
    tables = parse_tables(read([{"code": "orders", "title": "Orders", key: "0"}]), ANSWER)

    assert rules(tables.breaches) == ["zero_as_text"]


@pytest.mark.parametrize("key", ["code", "name", "type"])
def test_a_zero_counts_as_empty_in_a_description(key: str) -> None:
    columns = parse_columns(read([{"code": "A", "name": "A", "type": "int", key: "0"}]), ANSWER)

    assert "zero_as_text" in rules(columns.breaches)


def test_a_limit_that_is_ignored_is_named_and_kept_all_the_same() -> None:
    rows = rows_of([["a"], [1], [2], [3]], limit=2)

    assert rows.rows == [[1], [2]]
    assert rules(rows.breaches) == ["limit_ignored"]
    assert rows.truncated


def test_a_rule_that_every_row_breaks_is_told_a_few_times() -> None:
    breaches = rows_of([["a"], *([[1, 2]] * 100)]).breaches

    assert len(breaches) == MOST_REPORTS + 1
    assert breaches[-1] == Breach("ragged_row", "elsewhere", f"{100 - MOST_REPORTS} more")
