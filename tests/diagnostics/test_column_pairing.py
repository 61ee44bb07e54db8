"""Lost columns and their new names: recognised by evidence, and never by a type alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.diagnostics.tables.column_likeness import Likeness, are_numbered_apart, liken
from bi_mcp.diagnostics.tables.column_pairing import MAX_COMPARED, Outer, Pair, pair_columns
from bi_mcp.diagnostics.tables.external import ExternalColumn
from bi_mcp.diagnostics.tables.place import Places
from bi_mcp.rest.models import Column

ID, DAY = ("id", "int"), ("day", "date")
CODES = st.text(min_size=1, max_size=20)


def pairs(
    ours: Sequence[tuple[str, ...]],
    theirs: Sequence[tuple[str, ...]],
    values: Mapping[str, Sequence[object]] | None = None,
) -> list[Pair]:
    """Pair `(code, type, name)` with `(code, type, label)`; without a name or label it is as the code."""
    columns = [
        Column(id=number, name=third[0] if third else code.upper(), external_code=code, type=type)
        for number, (code, type, *third) in enumerate(ours, 1)
    ]
    outside = [ExternalColumn(code, third[0] if third else code, type) for code, type, *third in theirs]
    return pair_columns(columns, Outer(outside, values or {}))


def found(
    ours: Sequence[tuple[str, ...]], theirs: Sequence[tuple[str, ...]], **values: Sequence[object]
) -> list[tuple[str | None, str, str]]:
    return [(pair.column.name, pair.new.code, pair.grade) for pair in pairs(ours, theirs, values)]


@pytest.mark.parametrize(
    ("old", "new", "grade"),
    [
        (("amount", "double"), ("amount_gross", "double", "Amount"), "sure"),
        (("amount", "double"), ("x17", "double", "amount"), "sure"),
        (("Сумма", "double", "SUMMA"), ("summa", "double"), "sure"),
        (("f_17", "double", "AMOUNT"), ("amount", "double"), "sure"),
        (("price", "int"), ("price_rub", "money", "Price"), "sure"),
        (("qty", "int"), ("quantity", "int", "Количество"), "likely"),
        (("cust_name", "string"), ("customer_name", "string"), "likely"),
        (("adress", "string"), ("address", "string"), "likely"),
        (("recieved_at", "date"), ("received_at", "date", "Received at"), "likely"),
        (("custmer", "string"), ("customer", "string"), "likely"),
        (("dt", "date"), ("date", "date", "Дата"), "likely"),
        (("email", "string"), ("e_mail", "string", "E-mail"), "sure"),
        (("foo", "double"), ("bar", "double"), "weak"),
        (("discount", "double"), ("weight", "double", "Weight"), "weak"),
        (("created_at", "datetime"), ("updated_at", "datetime"), "weak"),
        (("date", "date"), ("date_id", "int", "Date"), "weak"),
        (("amount", "double"), ("amount_gross", "double"), "weak"),
        (("usd_eur", "double"), ("eur_usd", "double"), "weak"),
        (("date", "date"), ("date_deleted", "date", "Дата удаления"), "weak"),
        (("customer", "string"), ("customer_email", "string", "E-mail"), "weak"),
        (("user", "string"), ("username", "string"), "weak"),
        (("item", "int"), ("items", "int"), "weak"),
        (("net", "double"), ("network", "double"), "weak"),
        (("employer", "string"), ("employee", "string"), "weak"),
        (("contact", "string"), ("contract", "string"), "weak"),
        (("state", "string"), ("statement", "string", "Statement"), "weak"),
        (("ship_address", "string"), ("address", "string", "Billing address"), "weak"),
        (("adress", "string"), ("address", "string", "Billing"), "weak"),
        (("Sum", "double", "TOTAL"), ("total", "double", "Weight"), "weak"),
    ],
)
def test_what_stands_in_place_of_a_lost_column(
    old: tuple[str, ...], new: tuple[str, ...], grade: str
) -> None:
    [pair] = pairs([ID, old, DAY], [ID, new, DAY])
    assert (pair.new.code, pair.grade) == (new[0], grade)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("created_at", "datetime"), ("updated_at", "datetime")),
        (("price_min", "double"), ("price_max", "double")),
        (("height", "double"), ("weight", "double")),
        (("utm_1", "string"), ("utm_2", "string")),
    ],
)
def test_another_column_elsewhere_is_not_the_lost_one(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert pairs([ID, old, DAY], [ID, DAY, new]) == []


def test_a_number_tells_columns_apart_even_at_the_same_place() -> None:
    assert pairs([ID, ("utm_1", "string"), DAY], [ID, ("utm_2", "string"), DAY]) == []


def test_a_label_follows_a_column_to_any_place() -> None:
    assert found([ID, ("amount", "double"), DAY], [ID, DAY, ("total", "double", "Amount")]) == [
        ("AMOUNT", "total", "sure")
    ]


def test_a_like_code_elsewhere_is_only_looked_at() -> None:
    assert found([ID, ("amount", "double"), DAY], [("amount_tax", "double"), ID, DAY]) == [
        ("AMOUNT", "amount_tax", "weak")
    ]


def test_a_label_of_many_columns_says_nothing() -> None:
    theirs = [("id", "int", "Amount"), ("x", "double", "Amount"), DAY]
    assert [pair.grade for pair in pairs([ID, ("amount", "double"), DAY], theirs)] == ["weak"]


def test_values_of_another_kind_weaken_a_match() -> None:
    theirs = [ID, ("amount_text", "double"), DAY]
    assert found([ID, ("amount", "double"), DAY], theirs, amount_text=["a", "b"]) == [
        ("AMOUNT", "amount_text", "weak")
    ]


def test_the_values_that_the_old_code_still_has_decide() -> None:
    ours, theirs = [ID, ("amount", "double"), DAY], [ID, ("amount_gross", "double"), DAY]
    assert found(ours, theirs, amount=[1, 2.5, 7], amount_gross=[1, 2.5, 7]) == [
        ("AMOUNT", "amount_gross", "likely")
    ]
    for values in ([1, 2.5, 8], [1, 1, 1]):
        assert found(ours, theirs, amount=[1, 2.5, 7], amount_gross=values)[0][2] == "weak"


USUAL = re.findall(
    r"\w+",
    """id date created_at updated_at deleted_at status state user user_id username email phone price cost total subtotal tax
    discount qty amount net gross rate name title description comment note sku barcode address city country county zip postcode
    customer contact contract company employer employee manager order_id order_date delivery_date start_date end_date month year
    week currency source course category type statement balance payment payer payee item items order orders timezone time form from
    usd_eur eur_usd ship_address first_name last_name amount_tax date_deleted customer_email status_date""",
)


def test_of_usual_columns_none_is_taken_for_another() -> None:
    taken = [
        (old, new)
        for old in USUAL
        for new in USUAL
        if old != new
        for pair in pairs(
            [ID, (old, "string"), DAY], [ID, (new, "string", new.replace("_", " ").title()), DAY]
        )
        if old not in {"id", "day"} and new not in {"id", "day"} and pair.ready
    ]
    assert taken == []


def test_two_that_are_as_like_are_both_named_and_neither_is_taken() -> None:
    theirs = [ID, ("amount_net", "double"), ("amount_gross", "double"), DAY]
    [pair] = pairs([ID, ("amount", "double"), DAY], theirs)
    assert pair.grade == "weak"
    assert {pair.new.code, *pair.rivals} == {"amount_net", "amount_gross"}


def test_a_label_decides_between_two_like_codes() -> None:
    theirs = [ID, ("amount_net", "double", "Net"), ("amount_gross", "double", "Amount"), DAY]
    assert found([ID, ("amount", "double"), DAY], theirs) == [("AMOUNT", "amount_gross", "sure")]


def test_of_two_lost_columns_the_one_that_is_like_the_new_one_is_paired() -> None:
    ours = [ID, ("discount", "double"), ("amount", "double"), DAY]
    assert found(ours, [ID, ("amount_rub", "double"), DAY]) == [("AMOUNT", "amount_rub", "weak")]


def test_names_weigh_more_than_places() -> None:
    ours = [ID, ("net", "double"), ("gross", "double"), DAY]
    theirs = [ID, ("gross_amount", "double"), ("net_amount", "double"), DAY]
    assert found(ours, theirs) == [("NET", "net_amount", "weak"), ("GROSS", "gross_amount", "weak")]


def test_the_evidence_is_said() -> None:
    theirs = [ID, ("amount_gross", "double", "Amount"), DAY]
    [pair] = pairs([ID, ("amount", "double"), DAY], theirs, {"amount_gross": ["1,5", 2]})
    assert [piece.kind for piece in pair.evidence] == ["label", "place", "values", "type"]
    assert pair.reasons == (
        "its label is still 'Amount', it stands at the same place, its values are numbers as before, "
        "its type is double as before"
    )


def test_hundreds_of_columns_that_all_got_other_codes_are_paired_by_their_labels() -> None:
    count = int(MAX_COMPARED**0.5) * 3
    ours = [(f"a{number}", "int", f"NAME_{number}") for number in range(count)]
    theirs = [(f"zz_{number * 7}", "int", f"Name {number}") for number in range(count)]
    assert [pair.grade for pair in pairs(ours, theirs)] == ["sure"] * count


@settings(deadline=None)
@given(CODES, CODES)
def test_likeness_has_no_direction_for_the_same_and_for_nothing(one: str, other: str) -> None:
    assert (liken(one, other) is Likeness.SAME) == (liken(other, one) is Likeness.SAME)
    assert are_numbered_apart(one, other) == are_numbered_apart(other, one)


COLUMNS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b_1", "b_2", "amount", "amount_net", "Сумма", "summa", "qty"]),
        st.sampled_from(["int", "string", "date"]),
    ),
    unique_by=lambda column: column[0],
    max_size=6,
)


@settings(deadline=None)
@given(COLUMNS, COLUMNS)
def test_no_column_is_given_away_twice(ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> None:
    matched = pairs(ours, theirs)
    ready = [pair.new.code for pair in matched if pair.ready]
    assert len(set(ready)) == len(ready)
    assert len({pair.column.id for pair in matched}) == len(matched)
    kept = {code for code, _ in ours} & {code for code, _ in theirs}
    assert not kept & {code for pair in matched for code in (pair.new.code, pair.column.external_code)}
    # A type alone is never the reason, and a ready match always has a name that speaks for it.
    assert all({piece.kind for piece in pair.evidence} - {"type", "values"} for pair in matched)
    assert all(
        {piece.kind for piece in pair.evidence} & {"code", "label", "name"} for pair in matched if pair.ready
    )


@settings(deadline=None)
@given(st.lists(CODES, unique=True, max_size=8), st.lists(CODES, unique=True, max_size=8))
def test_a_column_is_at_its_own_place_only_between_neighbours(ours: list[str], theirs: list[str]) -> None:
    places = Places(ours, theirs)
    lost = [code for code in ours if code not in theirs]
    new = [code for code in theirs if code not in ours]
    for code in lost:
        assert [places.compare(code, other) for other in new].count("same") <= 1
