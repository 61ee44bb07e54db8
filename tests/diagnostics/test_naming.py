"""Codes of the outer world become names that a portal takes, the same ones each time."""

from __future__ import annotations

import re

import pytest

from bi_mcp.diagnostics.tables.naming import (
    MAX_COLUMN_NAME,
    MAX_DATASET_NAME,
    LegalName,
    column_names,
    dataset_name,
)

COLUMN = re.compile(r"[A-Z][A-Z0-9_]*")
DATASET = re.compile(r"[a-z][a-z0-9_]*")


def column(code: str, title: str = "") -> LegalName:
    return column_names([(code, title)])[0]


def names(*codes: str, taken: tuple[str, ...] = ()) -> list[str]:
    return [name.name for name in column_names([(code, "") for code in codes], taken)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("id", "ID"),
        ("orderTotal", "ORDERTOTAL"),
        ("HTTPCode", "HTTPCODE"),
        ("order total", "ORDER_TOTAL"),
        ("orderTotal net", "ORDER_TOTAL_NET"),
        ("IDs", "IDS"),
        ("order-total (net)", "ORDER_TOTAL_NET"),
        ("_id", "ID"),
        ("Сумма заказа", "SUMMA_ZAKAZA"),
        ("датаСоздания", "DATA_SOZDANIYA"),
        ("ЩЁЛОЧЬ", "SHCHYOLOCH"),
        ("Ціна", "TSINA"),
        ("Größe", "GROSSE"),
        ("prénom", "PRENOM"),
        ("Łódź", "LODZ"),
        ("2024 sum", "COLUMN_2024_SUM"),
        ("share %", "SHARE_PERCENT"),
        ("№", "NO"),
    ],
)
def test_a_code_becomes_a_column_name(code: str, expected: str) -> None:
    name = column(code)
    assert name.name == expected
    assert name.reasons


def test_a_legal_code_stays_and_needs_no_reason() -> None:
    assert column("ORDER_ID__2") == LegalName("ORDER_ID__2")
    assert dataset_name("order__items") == LegalName("order__items")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("id", "capital letters"),
        ("orderTotal net", "camelCase"),
        ("Сумма", "plain Latin"),
        ("A B", "signs"),
        ("2A", "begin with a letter"),
        ("A" * 40, "cut to 32"),
        ("漢字", "cannot be written in Latin letters"),
    ],
)
def test_the_reason_tells_what_was_changed(code: str, reason: str) -> None:
    assert reason in "; ".join(column(code).reasons)


def test_only_what_happened_is_told() -> None:
    assert column("сумма").reasons == ("letters written in plain Latin",)


def test_long_names_are_cut_and_stay_apart() -> None:
    first, second = "amount_of_the_order_in_roubles_" + "a" * 9, "amount_of_the_order_in_roubles_" + "b" * 9
    cut = names(first, second)
    assert len(set(cut)) == 2
    assert all(len(name) <= MAX_COLUMN_NAME and COLUMN.fullmatch(name) for name in cut)
    assert names(second, first) == cut[::-1]


def test_a_long_table_name_is_cut_at_the_dataset_limit() -> None:
    name = dataset_name("t" * 500).name
    assert len(name) == MAX_DATASET_NAME
    assert DATASET.fullmatch(name)


@pytest.mark.parametrize("code", ["漢字", "", "   ", "___", "\ud800", "🙂"])
def test_what_has_no_latin_spelling_gets_a_name_made_from_the_code(code: str) -> None:
    assert COLUMN.fullmatch(column(code).name)
    assert column(code) == column(code)
    assert DATASET.fullmatch(dataset_name(code).name)


def test_different_unspeakable_codes_get_different_names() -> None:
    assert len(set(names("漢字", "仮名"))) == 2


def test_a_code_without_letters_is_named_after_its_title() -> None:
    name = column("1042", "Сумма")
    assert name.name == "SUMMA"
    assert "title" in name.reasons[0]


def test_a_code_without_letters_and_title_keeps_its_digits() -> None:
    assert column("1042").name == "COLUMN_1042"


def test_collisions_are_numbered_in_order() -> None:
    assert names("order id", "order.id", "order-id") == ["ORDER_ID", "ORDER_ID_2", "ORDER_ID_3"]


def test_a_legal_code_is_not_pushed_aside_by_an_earlier_one() -> None:
    assert names("order id", "ORDER_ID", "ORDER_ID_2") == ["ORDER_ID_3", "ORDER_ID", "ORDER_ID_2"]


def test_names_already_taken_are_avoided_and_told() -> None:
    name = column_names([("amount", "")], taken=["AMOUNT", "AMOUNT_2"])[0]
    assert name.name == "AMOUNT_3"
    assert "AMOUNT is taken" in name.reasons


def test_a_numbered_name_stays_within_the_limit() -> None:
    taken = "A" * MAX_COLUMN_NAME
    name = names(taken, taken=(taken,))[0]
    assert name == "A" * 30 + "_2"


def test_dataset_names_are_unique_whatever_their_case() -> None:
    assert dataset_name("public.Orders", taken=["PUBLIC_ORDERS"]).name == "public_orders_2"


def test_a_dataset_without_letters_in_its_code_is_named_after_the_title() -> None:
    assert dataset_name("17", "Заказы 2025").name == "zakazy_2025"
