"""Filters of a preview, as people write them."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.preview import read_filter
from bi_mcp.endpoints.question import Condition, DatasetColumn
from bi_mcp.errors import InvalidRequestError

COLUMNS = [DatasetColumn("DELAY", "delay", "int")]


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
