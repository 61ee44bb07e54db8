"""Which of the listed tables are taken for the successors of one that is gone."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.dataset.lost_table import MAX_COMPARED, find_lost_table, similar_tables
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.external import DatasetContext
from bi_mcp.endpoints.answers import ExternalTable
from bi_mcp.rest.models import Dataset


def similar(code: str, *tables: ExternalTable, title: str = "Orders") -> list[str]:
    dataset = Dataset(id=1, external_code=code, external_name=title)
    return [table.external_code for table in similar_tables(dataset, tables)]


@pytest.mark.parametrize("new", ["Orders", "orders_2026", "sales.orders", "оrders", "order"])
def test_other_letters_a_year_or_a_schema_are_similar(new: str) -> None:
    assert similar("orders", ExternalTable(new, "Other"), ExternalTable("customers", "Customers")) == [new]


def test_the_same_title_comes_first_and_a_table_with_an_id_is_called_by_its_code() -> None:
    tables = [ExternalTable("orders_old", "Old orders"), ExternalTable("t_17", "Orders", "17")]
    assert similar("orders", *tables) == ["t_17", "orders_old"]


def test_the_table_whose_id_stands_in_place_of_its_code_comes_before_all_others() -> None:
    tables = [ExternalTable("t_18", "Orders"), ExternalTable("t_17", "Other", "17")]
    assert similar("17", *tables) == ["t_17", "t_18"]


def test_nothing_alike_is_nothing_similar_and_many_are_cut() -> None:
    assert similar("orders", ExternalTable("customers", "Customers")) == []
    assert len(similar("orders", *(ExternalTable(f"orders_{year}", "x") for year in range(2000, 2020)))) == 3


def test_of_very_many_tables_only_those_of_the_same_code_or_title_are_similar() -> None:
    many = [ExternalTable(f"orders_{number}", "x") for number in range(MAX_COMPARED)]
    assert len(similar("orders", *many)) == 3
    more = [*many, ExternalTable("ORDERS", "y"), ExternalTable("t_1", "Orders")]
    assert similar("orders", *more) == ["t_1", "ORDERS"]


def test_names_that_hardly_end_are_compared_by_their_beginnings() -> None:
    # Anagrams are what comparing takes longest for.
    tables = [ExternalTable(("ab" * 5_000)[shift:], "x") for shift in range(1_000)]
    assert len(similar("ba" * 250, *tables)) == 2


def lost(taken: set[str] | None, *codes: str) -> Finding:
    """The finding about a dataset of `orders`, of which the connector lists only other tables."""
    dataset = Dataset(id=9, external_code="orders", external_name="Orders", source_id=5)
    tables = [ExternalTable(code, code) for code in codes]
    finding = find_lost_table(DatasetContext(dataset, tables=tables, taken=taken))
    assert finding is not None
    return finding


def proposed(finding: Finding) -> object:
    assert finding.call is not None
    assert finding.call["tool"] == "dataset_propose"
    arguments = finding.call["arguments"]
    assert isinstance(arguments, dict)
    assert (arguments["source"], arguments["like"]) == (5, 9)
    return arguments["table"]


def test_the_only_table_without_a_dataset_is_the_likely_successor_and_the_user_acts_first() -> None:
    finding = lost({"orders", "customers"}, "customers", "sales")
    assert proposed(finding) == "sales"
    assert "The only table without a dataset: 'sales'." in finding.what
    assert finding.advice.startswith("You: If 'sales' replaced it")
    assert "Else: Bring the table back" in finding.advice


def test_of_similar_tables_the_one_without_a_dataset_comes_first() -> None:
    assert proposed(lost({"orders", "orders_1"}, "orders_1", "orders_2020")) == "orders_2020"
    assert proposed(lost(None, "orders_1", "orders_2020")) == "orders_1"


@pytest.mark.parametrize("taken", [None, {"orders"}])
def test_of_several_other_tables_none_is_taken_for_the_successor(taken: set[str] | None) -> None:
    finding = lost(taken, "customers", "stock")
    assert finding.call is not None
    assert finding.call["tool"] == "source_tables"
    assert finding.who == "connector operator"
    assert "only table" not in finding.what
