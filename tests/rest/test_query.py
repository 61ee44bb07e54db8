from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.query import OPERATORS, Query, split_key


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_key_is_read_by_its_longest_operator(operator: str) -> None:
    assert split_key(f"{operator}id") == (operator, "id")


def test_a_key_without_an_operator_is_a_field() -> None:
    assert split_key("id") == ("", "id")


def test_without_an_order_the_request_is_ordered_by_id() -> None:
    assert Query().to_wire() == {"order": {"id": "ASC"}, "page": 1}
    assert Query(order={"title": "desc"}, page=3).to_wire() == {"order": {"title": "desc"}, "page": 3}


@pytest.mark.parametrize(
    ("select", "sent"),
    [(["title"], ["id", "title"]), (["title", "id"], ["title", "id"]), (["*"], ["*"])],
)
def test_the_id_is_always_selected(select: Sequence[str], sent: list[str]) -> None:
    assert Query(select=select).to_wire()["select"] == sent


def test_a_filter_is_sent_as_it_was_given() -> None:
    given = {"logic": "AND", "!description": "", "0": {"logic": "OR", "%=title": "My%", "@id": [9, 11]}}
    assert Query(filter=given).to_wire()["filter"] == given


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, ""])
def test_scalars_may_be_compared_with(value: object) -> None:
    assert Query(filter={"!title": value}).to_wire()["filter"] == {"!title": value}


@pytest.mark.parametrize(
    ("conditions", "rule"),
    [
        ({"logic": "XOR"}, "logic is AND or OR"),
        ({"logic": ["AND"]}, "logic is AND or OR"),
        ({"0": {"1": {"logic": "NOT"}}}, "logic is AND or OR"),
        ({">=": 5}, "names no field"),
        ({"": 5}, "names no field"),
        ({"><id": [1, 2]}, "such as '@id'"),
        ({"=>id": 5}, "such as '=id'"),
        ({"id in": [1, 2]}, "such as '@id'"),
        ({"settings": "x"}, "ignores 'settings'"),
        ({"!fields": "x"}, "ignores 'fields'"),
        ({"@id": 5}, "'@id' takes an array"),
        ({"!@title": "abc"}, "'!@title' takes an array"),
        ({"@title": b"abc"}, "'@title' takes an array"),
        ({"id": [1, 2]}, "write '@id'"),
        ({"!=id": (1, 2)}, "write '@id'"),
        ({"%title": "50%"}, "use '=%title'"),
        ({"0": [{"id": 1}]}, "the number '0' takes a group"),
        ({"0": 5}, "the number '0' takes a group"),
        ({"id": {"id": 1}}, "takes a value, not an object"),
        ({"@id": [{"id": 1}]}, "takes a value, not an object"),
        ({"group": {"id": 1}}, "The key of a group is a number"),
        ({"id": {1, 2}}, "is compared with text"),
        ({">dateCreate": datetime(2026, 1, 1, tzinfo=UTC)}, "Y-m-d H:i:s"),
        ({"0": {"@id": [1, [2]]}}, "is compared with text"),
    ],
    ids=str,
)
def test_a_broken_rule_of_filters_is_named(conditions: Mapping[str, Any], rule: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^filter: .*{rule}"):
        Query(filter=conditions)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"select": "id"}, "select is an array"),
        ({"select": ["csvDelimiter"]}, "'csvDelimiter' .* may not be selected"),
        ({"select": ["name", "fields"]}, "a list never answers 'fields'"),
        ({"order": {"id": "up"}}, "'id' is sorted ASC or DESC"),
        ({"order": {"id": 1}}, "'id' is sorted ASC or DESC"),
        ({"page": 0}, "page counts from 1"),
        ({"page": -1}, "page counts from 1"),
    ],
)
def test_a_broken_rule_of_lists_is_named(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidRequestError, match=rule):
        Query(**changes)
