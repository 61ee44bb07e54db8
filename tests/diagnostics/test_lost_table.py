"""Which of the listed tables are taken for the successors of one that is gone."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.lost_table import similar_tables
from bi_mcp.endpoints.answers import ExternalTable
from bi_mcp.rest.models import Dataset


def similar(code: str, *tables: ExternalTable, title: str = "Orders") -> list[str]:
    dataset = Dataset(id=1, external_code=code, external_name=title)
    return [table.external_code for table in similar_tables(dataset, tables)]


@pytest.mark.parametrize("new", ["Orders", "orders_2026", "sales.orders", "оrders", "order"])
def test_other_letters_a_year_or_a_schema_are_similar(new: str) -> None:
    assert similar("orders", ExternalTable(new, "Other"), ExternalTable("customers", "Customers")) == [new]


def test_the_same_title_comes_first_and_a_table_with_an_id_is_called_by_it() -> None:
    tables = [ExternalTable("orders_old", "Old orders"), ExternalTable("t_17", "Orders", "17")]
    assert similar("orders", *tables) == ["17", "orders_old"]


def test_nothing_alike_is_nothing_similar_and_many_are_cut() -> None:
    assert similar("orders", ExternalTable("customers", "Customers")) == []
    assert len(similar("orders", *(ExternalTable(f"orders_{year}", "x") for year in range(2000, 2020)))) == 3
