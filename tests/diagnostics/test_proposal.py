"""A proposed dataset is accepted as it stands, and every change has its reason."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.tables.column_pairing import Outer
from bi_mcp.diagnostics.tables.external import ExternalColumn, Sample
from bi_mcp.diagnostics.tables.inheritance import inherit
from bi_mcp.diagnostics.tables.proposal import Proposal, Wanted, propose_fields
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Column, DatasetFields

COLUMNS = [
    ExternalColumn("id", "Number", "int"),
    ExternalColumn("Сумма", "Sum", "double"),
    ExternalColumn("paidOn", "Paid on", "date"),
]
ROWS = [[1, 10.5, "2025-12-31"], [2, 7, "2025-12-30"]]
SAMPLE = Sample(["id", "Сумма", "paidOn"], ROWS)


def columns_of(proposal: Proposal) -> list[tuple[str, str, str]]:
    """Name, code and type of each column, after the model of `dataset_add` has accepted all."""
    fields = DatasetFields.model_validate(proposal.fields)
    assert fields.to_wire() == proposal.fields
    return [(column.name, column.external_code, column.type) for column in fields.fields]


def typed(type_: str, *values: object, generation: PortalGeneration = "tables") -> tuple[str, list[str]]:
    """The type proposed for one column, and why."""
    sample = Sample(["V"], [[value] for value in values])
    column = [ExternalColumn("V", "V", type_)]
    proposal = propose_fields("t", "T", column, sample, 1, generation=generation)
    return columns_of(proposal)[0][2], proposal.reasons


def test_a_table_becomes_the_fields_of_a_dataset() -> None:
    proposal = propose_fields("public.Orders", "Orders", COLUMNS, SAMPLE, 5)
    assert columns_of(proposal) == [
        ("ID", "id", "int"),
        ("SUMMA", "Сумма", "double"),
        ("PAIDON", "paidOn", "date"),
    ]
    assert {key: value for key, value in proposal.fields.items() if key != "fields"} == {
        "name": "public_orders",
        "sourceId": 5,
        "externalCode": "public.Orders",
        "externalName": "Orders",
    }


def test_names_that_changed_have_their_reasons() -> None:
    reasons = propose_fields("public.Orders", "Orders", COLUMNS, SAMPLE, 5).reasons
    assert [reason.split(":")[0] for reason in reasons] == [
        "dataset 'public.Orders'",
        "column 'Сумма'",
        "names are the codes in capital letters ('id → ID', 'paidOn → PAIDON')",
        "names differ from the codes ('Сумма → SUMMA')",
    ]
    assert "plain Latin" in reasons[1]
    assert "must find a code in upper or lower case" in reasons[2]
    assert "must understand mapFields" in reasons[3]


def test_a_table_that_needs_no_change_has_no_reasons() -> None:
    assert propose_fields("orders", "Orders", [ExternalColumn("ID", "Number", "int")], None, 5).reasons == []


def test_a_type_in_capitals_is_the_type() -> None:
    assert typed("INT", 1) == ("int", [])
    assert typed("Money", 1.5, generation="classic")[0] == "double"


def test_a_name_that_is_taken_is_numbered() -> None:
    proposal = propose_fields("orders", "Orders", COLUMNS, SAMPLE, 5, taken_names=["orders"])
    assert proposal.fields["name"] == "orders_2"
    assert "taken" in proposal.reasons[0]


def test_without_a_sample_the_described_types_are_proposed() -> None:
    assert [type_ for *_, type_ in columns_of(propose_fields("orders", "", COLUMNS, None, 5))] == [
        "int",
        "double",
        "date",
    ]


@pytest.mark.parametrize(
    ("described", "values", "proposed", "reason"),
    [
        ("int", [1, 2.5], "double", '"2.5" (decimal number)'),
        ("int", [2**64], "string", "number over 64 bits"),
        ("double", ["1,5"], "string", "decimal comma"),
        ("date", ["31.12.2025"], "string", "d.m.Y"),
        ("date", ["2025-12-31 10:00:00"], "datetime", "time of day"),
        ("datetime", ["2025-12-31T10:00:00Z"], "string", "time zone is lost"),
        ("string", [[1]], "string", "array or object"),
        ("varchar", ["a"], "string", "'varchar' is not a type"),
    ],
)
def test_a_type_that_the_values_contradict_or_nobody_knows_is_changed_with_a_reason(
    described: str, values: list[object], proposed: str, reason: str
) -> None:
    type_, reasons = typed(described, *values)
    assert type_ == proposed
    assert reason in reasons[0]


@pytest.mark.parametrize(
    ("described", "value", "classic"), [("money", 10.5, "double"), ("timezone", "Europe/Moscow", "string")]
)
def test_types_of_newer_portals_are_replaced_on_classic_ones(
    described: str, value: object, classic: str
) -> None:
    assert typed(described, value) == (described, [])
    type_, reasons = typed(described, value, generation="classic")
    assert type_ == classic
    assert f"does not know {described}" in reasons[0]


def test_money_with_a_currency_is_text_on_a_classic_portal_too() -> None:
    type_, reasons = typed("money", "10 USD", generation="classic")
    assert type_ == "string"
    assert len(reasons) == 1


def test_codes_described_twice_are_taken_once() -> None:
    proposal = propose_fields("t", "T", [COLUMNS[0], ExternalColumn("id", "again", "string")], None, 1)
    assert columns_of(proposal) == [("ID", "id", "int")]
    assert "more than once" in proposal.reasons[0]


@pytest.mark.parametrize("code", ["", "  ", "c" * 513, "broken \ud800"])
def test_a_column_that_a_portal_refuses_is_left_out(code: str) -> None:
    proposal = propose_fields("t", "T", [ExternalColumn(code, "", "int"), COLUMNS[0]], None, 1)
    assert columns_of(proposal) == [("ID", "id", "int")]
    assert "left out" in proposal.reasons[0]


def test_a_table_without_usable_columns_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no column"):
        propose_fields("t", "T", [], None, 1)


@pytest.mark.parametrize("code", ["", " ", "c" * 513, "broken \ud800"])
def test_a_table_code_that_no_dataset_holds_is_refused(code: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot hold"):
        propose_fields(code, "T", COLUMNS, None, 1)


@pytest.mark.parametrize("title", ["", "   ", "t" * 1000, " " * 600 + "t", "broken \ud800"])
def test_the_external_name_is_always_valid(title: str) -> None:
    proposal = propose_fields("orders", title, COLUMNS, SAMPLE, 1)
    name = DatasetFields.model_validate(proposal.fields).external_name
    assert 0 < len(name.strip()) <= 512


def test_a_hundred_columns_of_awkward_codes_make_a_valid_dataset() -> None:
    codes = [f"{'очень длинное название ' * 3}{number % 7}" + " " * number for number in range(100)]
    proposal = propose_fields("T" * 300, "", [ExternalColumn(code, "", "int") for code in codes], None, 1)
    names = [name for name, *_ in columns_of(proposal)]
    assert len(set(names)) == 100


MODEL = [
    Column(id=1, name="NUMBER", external_code="id", type="string"),
    Column(id=2, name="TOTAL", external_code="total", type="money"),
    Column(id=3, name="DAY", external_code="paid", type="date"),
    Column(id=4, name="GONE", external_code="gone", type="string"),
]


def like_the_model(columns: list[ExternalColumn], sample: Sample | None) -> Proposal:
    inherited = inherit(5, MODEL, Outer(columns, sample.columns if sample else {}))
    return propose_fields("orders_2026", "Orders", columns, sample, 1, wanted=Wanted(inherited=inherited))


def test_a_table_that_took_another_ones_place_keeps_the_names_and_types_that_charts_know() -> None:
    columns = [
        COLUMNS[0],
        ExternalColumn("amount", "Total", "double"),
        ExternalColumn("day", "Paid on", "date"),
    ]
    proposal = like_the_model(columns, Sample(["id", "amount", "day"], ROWS))
    assert columns_of(proposal) == [
        ("NUMBER", "id", "string"),
        ("TOTAL", "amount", "money"),
        ("DAY", "day", "date"),
    ]
    told = " ".join(proposal.reasons)
    assert "as in dataset 5, by the same codes: NUMBER" in told
    assert "column 'amount': named TOTAL as in the other dataset, because its label is still 'Total'" in told
    assert "without a counterpart, which charts will miss: 'GONE'" in told


def test_a_type_that_the_new_values_contradict_is_not_kept() -> None:
    columns = [ExternalColumn("total", "Total", "string")]
    proposal = like_the_model(columns, Sample(["total"], [["a lot"]]))
    assert columns_of(proposal) == [("TOTAL", "total", "string")]


def test_a_new_column_does_not_get_a_name_that_is_kept() -> None:
    columns = [ExternalColumn("id", "Id", "int"), ExternalColumn("number", "Something", "date")]
    assert [name for name, *_ in columns_of(like_the_model(columns, None))] == ["NUMBER", "NUMBER_2"]
