"""Filters of a preview, as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from bi_mcp.diagnostics.dataset.preview import read_filter
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange
from bi_mcp.errors import InvalidRequestError

COLUMNS = [
    DatasetColumn("DELAY", "delay", "int"),
    DatasetColumn("CARRIER", "carrier"),
    DatasetColumn("DAY", "day", "date"),
]


@pytest.mark.parametrize("value", [0, 0.0, "0", [0]])
def test_zero_is_a_number_to_look_for(value: object) -> None:
    _, groups = read_filter({"DELAY": value}, COLUMNS)
    assert groups == ((Condition("DELAY", "is", tuple(value) if isinstance(value, list) else (value,)),),)


@pytest.mark.parametrize("value", [None, False, "", [None]])
def test_nothing_asks_for_missing_values(value: object) -> None:
    assert read_filter({"!=DELAY": value}, COLUMNS)[1] == ((Condition("DELAY", "empty", (), excluded=True),),)


@pytest.mark.parametrize("value", [[[1]], [{"a": 1}]])
def test_a_list_within_a_list_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="DELAY takes texts and numbers"):
        read_filter({"DELAY": value}, COLUMNS)


def test_conditions_are_joined_by_and() -> None:
    dates, groups = read_filter({"CARRIER": ["UA", "AA"], "><DELAY": [1, 5], "!%CARRIER": "U"}, COLUMNS)

    assert dates is None
    assert groups == (
        (Condition("CARRIER", "is", ("UA", "AA")),),
        (Condition("DELAY", "between", (1, 5)),),
        (Condition("CARRIER", "contains", ("U",), excluded=True),),
    )


def test_two_days_on_a_time_column_are_a_date_range() -> None:
    dates, groups = read_filter({">=DAY": "2013-01-01", "<=DAY": "2013-01-02"}, COLUMNS)

    assert dates == DateRange("DAY", date(2013, 1, 1), date(2013, 1, 2))
    assert groups == ()


@pytest.mark.parametrize("key", [">=DAY", ">DAY", "!<=DAY"])
def test_what_is_not_a_range_of_days_is_a_condition(key: str) -> None:
    value = "2013-01-01 10:00:00" if key == ">=DAY" else "2013-01-01"
    dates, groups = read_filter({key: value}, COLUMNS)

    assert dates is None
    assert [group[0].values for group in groups] == [(value,)]


def test_a_day_within_alternatives_stays_with_them() -> None:
    dates, groups = read_filter({"LOGIC": "or", ">=DAY": "2013-01-01", "CARRIER": "UA"}, COLUMNS)

    assert dates is None
    assert groups == (
        (Condition("DAY", "greater_or_equal", ("2013-01-01",)), Condition("CARRIER", "is", ("UA",))),
    )


def test_numbered_groups_are_read_as_bitrix24_writes_them() -> None:
    filter = {
        "0": {"LOGIC": "OR", "0": {"=CARRIER": ["UA"]}, "1": {"=DELAY": False}},
        "1": {"0": {">DELAY": [3]}},
    }

    assert read_filter(filter, COLUMNS)[1] == (
        (Condition("CARRIER", "is", ("UA",)), Condition("DELAY", "empty")),
        (Condition("DELAY", "greater", (3,)),),
    )


def test_a_code_stands_for_its_column_where_one_column_has_it() -> None:
    twice = [DatasetColumn("A", "code"), DatasetColumn("B", "code"), DatasetColumn("C", "own")]

    assert read_filter({"=own": "x"}, twice)[1] == ((Condition("C", "is", ("x",)),),)
    with pytest.raises(InvalidRequestError, match="Its columns are A, B, C"):
        read_filter({"code": "x"}, twice)


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        ({"><DELAY": 5}, "takes both ends of a range"),
        ({"LOGIC": "XOR", "DELAY": 1}, "LOGIC is AND or OR, not 'XOR'"),
        ({"DELAY": []}, "takes texts and numbers"),
        ({"SPEED": 1}, "has no column 'SPEED'"),
    ],
)
def test_what_cannot_be_a_condition_is_refused(filter: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        read_filter(filter, COLUMNS)
