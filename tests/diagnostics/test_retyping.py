"""Another type is offered only where nothing is lost by it."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.tables.retyping import keeps_everything


@pytest.mark.parametrize(
    ("values", "declared", "other", "kept"),
    [
        ([1, 2.5], "int", "double", True),
        (["2025-12-31 10:00:00"], "date", "datetime", True),
        (["1001", "A-17"], "int", "string", True),
        (["00123", "00124"], "int", "string", True),
        (["Paris", "Rome"], "double", "string", True),
        (["2025-12-31"], "string", "date", True),
        (["1,5", "2,5"], "double", "string", False),
        (["1 234"], "int", "string", False),
        (["10 ₽"], "money", "string", False),
        (["31.12.2025"], "date", "string", False),
        ([1735603200], "date", "int", False),
        (["n/a"], "int", "string", False),
        ([1, 2, 3, "none"], "int", "string", False),
        ([1, 2, 3, "few"], "int", "string", False),
        ([], "int", "double", False),
        ([None, ""], "int", "string", False),
        ([1.5], "double", "int", False),
    ],
)
def test_what_a_type_keeps(values: list[object], declared: str, other: str, kept: bool) -> None:
    assert keeps_everything(values, declared, other) is kept
