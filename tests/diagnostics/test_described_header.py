"""The header of the data against the description."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.connector.described_header import compare_header
from bi_mcp.endpoints.answers import Breach, Columns, DescribedColumn, EndpointAnswer

ANSWER = EndpointAnswer(status=200, seconds=0.1, size=1)


def described(*codes: str, breaches: tuple[Breach, ...] = (), truncated: bool = False) -> Columns:
    columns = [DescribedColumn(code, code, "string") for code in codes]
    return Columns(columns, list(breaches), ANSWER, truncated)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["a", "b"], []),
        (["b", "a"], []),
        (["a"], ["column_missing"]),
        (["a", "b", "c"], ["column_undescribed"]),
        (["1", "2"], ["header_missing"]),
        ([], []),
    ],
)
def test_a_header_is_compared_with_the_description(header: list[str], expected: list[str]) -> None:
    assert [breach.rule for breach in compare_header(header, described("a", "b"))] == expected


@pytest.mark.parametrize(
    "columns",
    [
        None,
        described(),
        described("a", truncated=True),
        described("a", breaches=(Breach("empty_code", "column 2"),)),
    ],
)
def test_columns_that_an_incomplete_description_lacks_are_not_reported(columns: Columns | None) -> None:
    assert compare_header(["a", "b"], columns) == []
