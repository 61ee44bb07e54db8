"""Forms as Bitrix24 writes them, read back by readers that were written apart from the writer."""

from __future__ import annotations

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.connector.question.brackets import parse_form
from bi_mcp.endpoints.form import encode_form
from bi_mcp.errors import EndpointError
from bi_mcp.practice.portal.brackets import parse_brackets


def test_nested_parameters_are_written_in_brackets() -> None:
    form = encode_form({"table": "a b", "select": ["x", "y"], "filter": {">=d": 500}, "limit": 3})

    assert form == b"table=a+b&select%5B0%5D=x&select%5B1%5D=y&filter%5B%3E%3Dd%5D=500&limit=3"


def test_two_readers_find_what_was_written() -> None:
    parameters = {
        "table": "Ünïcode & = [x]?",
        "filter": {"@city": ["Бат", "Ош"], "or": [{"a": "1"}, {"a": "2", "b": ["3"]}]},
        "mapFields": {"a code": "NAME"},
    }
    form = encode_form(parameters)

    assert parse_brackets(form.decode()) == parameters
    assert parse_form(form) == {
        "table": "Ünïcode & = [x]?",
        "filter": {
            "@city": {"0": "Бат", "1": "Ош"},
            "or": {"0": {"a": "1"}, "1": {"a": "2", "b": {"0": "3"}}},
        },
        "mapFields": {"a code": "NAME"},
    }


def test_secrets_are_revealed_here() -> None:
    assert encode_form({"connection": {"password": Secret("p&w")}}) == b"connection%5Bpassword%5D=p%26w"


def test_nulls_and_empty_arrays_are_left_out_and_booleans_are_numbers() -> None:
    assert encode_form({"a": None, "b": [], "c": {}, "d": True, "e": False, "f": ""}) == b"d=1&e=0&f="


def test_half_a_character_is_refused_without_showing_the_value() -> None:
    with pytest.raises(EndpointError) as caught:
        encode_form({"connection": {"password": Secret("hunter2\ud800")}})

    assert caught.value.reason == "bad_request"
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_endless_nesting_is_refused() -> None:
    nested: dict[str, object] = {}
    nested["a"] = nested

    with pytest.raises(EndpointError):
        encode_form(nested)
