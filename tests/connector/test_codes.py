"""Codes that are legal names of a dataset's columns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.connector.codes import legal_codes

LEGAL = re.compile(r"[A-Z][A-Z0-9_]{0,31}")


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        ("order_id", "ORDER_ID"),
        ("Amount [USD]", "AMOUNT_USD"),
        ("Сумма", "SUMMA"),
        ("Дата отгрузки", "DATA_OTGRUZKI"),
        ("Größe", "GROSSE"),
        ("Straße", "STRASSE"),
        ("2nd", "C_2ND"),
        ("discount %", "DISCOUNT_PCT"),
        ("_id", "ID"),
        ("0", "C_0"),
    ],
)
def test_a_code_is_spelled_from_its_identifier(identifier: str, code: str) -> None:
    assert legal_codes([identifier]) == [code]


@settings(max_examples=100, deadline=None)
@given(identifiers=st.lists(st.text(max_size=50), max_size=20))
def test_codes_are_legal_and_each_is_given_once(identifiers: list[str]) -> None:
    codes = legal_codes(identifiers)

    assert all(LEGAL.fullmatch(code) for code in codes)
    assert len(set(codes)) == len(identifiers) == len(codes)


@settings(max_examples=100, deadline=None)
@given(
    identifiers=st.lists(st.sampled_from(["a b", "a_b", "A-B", "Ы", "日本", "x" * 40, "x" * 41]), max_size=8),
    added=st.sampled_from(["a  b", "A.B", "Ы!", "中国", "x" * 42]),
)
def test_a_column_added_at_the_end_leaves_the_codes_of_the_others(identifiers: list[str], added: str) -> None:
    assert legal_codes([*identifiers, added])[:-1] == legal_codes(identifiers)


def test_an_identifier_that_differs_in_capitals_alone_keeps_its_plain_code() -> None:
    first, exact = legal_codes(["a b", "a_b"])

    assert exact == "A_B"
    assert re.fullmatch(r"A_B_[0-9A-F]{4}", first)
