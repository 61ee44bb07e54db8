"""Keys of a filter as people and Bitrix24 write them."""

from __future__ import annotations

import pytest

from bi_mcp.endpoints.operators import SPELLINGS, Operator, split_operator


@pytest.mark.parametrize(
    ("key", "operator", "excluded"),
    [
        ("DAY", "is", False),
        ("=DAY", "is", False),
        ("!DAY", "is", True),
        ("!=DAY", "is", True),
        ("@DAY", "is", False),
        ("!@DAY", "is", True),
        ("%DAY", "contains", False),
        ("!%DAY", "contains", True),
        ("><DAY", "between", False),
        ("!><DAY", "between", True),
        (">DAY", "greater", False),
        ("!>DAY", "greater", True),
        (">=DAY", "greater_or_equal", False),
        ("!>=DAY", "greater_or_equal", True),
        ("<DAY", "less", False),
        ("!<DAY", "less", True),
        ("<=DAY", "less_or_equal", False),
        ("!<=DAY", "less_or_equal", True),
    ],
)
def test_a_key_is_an_operator_and_a_column(key: str, operator: Operator, excluded: bool) -> None:
    assert split_operator(key) == (operator, excluded, "DAY")


def test_no_two_conditions_with_values_share_a_prefix() -> None:
    prefixes = [spelling.prefix for spelling in SPELLINGS.values() if spelling.takes != "nothing"]

    assert len(set(prefixes)) == len(prefixes)
