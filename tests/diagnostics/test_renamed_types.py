"""A column that was renamed keeps its type: sums must not end because a code changed."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.dataset.column_matching import ExternalSide, check_columns
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.external import DatasetContext, ExternalColumn
from bi_mcp.rest.models import Column, Dataset

CONTEXT = DatasetContext(Dataset(id=9, name="orders"))


def renamed(ours: str, theirs: str, *values: object) -> Finding:
    """The finding about a column whose code only differs in a capital letter."""
    columns = [
        Column(id=1, name="ID", external_code="id", type="int"),
        Column(id=2, name="AMOUNT", external_code="amount", type=ours),
    ]
    outside = [ExternalColumn("id", "Id", "int"), ExternalColumn("Amount", "Amount", theirs)]
    [finding] = check_columns(columns, ExternalSide(outside, True, {"Amount": values}), CONTEXT)
    assert finding.code == "column_renamed"
    return finding


def change(finding: Finding) -> dict[str, object]:
    assert finding.call is not None
    arguments = finding.call["arguments"]
    assert isinstance(arguments, dict)
    [column] = arguments["columns"]
    return dict(column)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("double", ("1,5", "2,5")),
        ("int", ("A-17", "B-18")),
        ("money", ("10 ₽", "20 ₽")),
        ("date", ("31.12.2025",)),
        ("datetime", ("soon", "later")),
    ],
)
def test_numbers_and_dates_never_become_text_and_the_connector_comes_first(
    type_: str, values: tuple[str, ...]
) -> None:
    finding = renamed(type_, "string", *values)
    assert finding.call is None
    assert finding.who == "connector operator"
    assert f"of {len(values)} are not of the type {type_}, such as" in finding.what
    assert finding.advice.startswith("The connector's operator: Let the connector return ")


def test_some_odd_values_are_told_and_the_type_stays() -> None:
    finding = renamed("double", "string", 1.5, 2.5, "n/a")
    assert change(finding) == {"id": 2, "externalCode": "Amount"}
    assert '1 of 3 are not of the type double, such as "n/a" (text)' in finding.what


def test_a_type_that_all_values_have_is_taken_and_told() -> None:
    finding = renamed("int", "double", 1.5, 2.5)
    assert change(finding) == {"id": 2, "externalCode": "Amount", "type": "double"}
    assert "Its type becomes double" in finding.advice


@pytest.mark.parametrize("values", [(), (1, 2), ("1", "2")])
def test_values_that_fit_leave_the_type_alone(values: tuple[object, ...]) -> None:
    assert change(renamed("int", "string", *values)) == {"id": 2, "externalCode": "Amount"}
