"""Operators by column types, cultures and dialects, through the charts of the practice portal, against a plain filter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.charts.charting import Dataset, dataset, translate
from tests.charts.questions import CULTURES, GENERATIONS, Culture, Generation, Question
from tests.charts.tables import Table
from tests.connector.proof.conftest import OpenHurting
from tests.connector.proof.connectors import CONNECTION, serve
from tests.connector.proof.hurting import COLUMNS, DIALECTS, NAME, Dialect, hurting
from tests.connector.proof.plain import find_fault, joined, questions
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

CODES = tuple(column.code for column in COLUMNS)
# The number of a row hurts nobody.
ASKED = CODES[1:]
DATED = tuple(column.code for column in COLUMNS if column.type in {"date", "datetime"})
# What differs most from dialect to dialect.
TYPICAL = ("WORD", "FLAG", "AMOUNT", "DAY")


async def faults(opened: Dataset, table: Table, asked: Iterable[tuple[str, Question]]) -> dict[str, str]:
    """Open a chart for each question, and keep what is wrong by its title."""
    found = {}
    for title, question in asked:
        named = replace(question, select=question.select or CODES)
        chart = await opened.open(named)
        if chart.failure is not None:
            found[title] = f"{chart.failure.kind} {chart.status}: {chart.answer}"
        elif fault := find_fault(table, named, chart.rows):
            found[title] = fault
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_columns_have_their_types(open_hurting: OpenHurting, dialect: Dialect) -> None:
    columns = open_hurting(dialect).columns(NAME)
    assert {column.code: column.type for column in columns} == {
        column.code: column.type for column in COLUMNS
    }


# Every culture in every database, and every culture in both generations.
DATED_IN = [
    (dialect, GENERATIONS[(row + column) % len(GENERATIONS)], culture)
    for row, dialect in enumerate(DIALECTS)
    for column, culture in enumerate(CULTURES)
]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_typical_columns_by_every_operator(open_hurting: OpenHurting, dialect: Dialect) -> None:
    table = hurting(dialect)
    async with dataset(table, "tables", "ru", serve(open_hurting(dialect)), CONNECTION) as opened:
        asked = [*joined(table), *list(questions(table, TYPICAL))[::4]]
        assert not await faults(opened, table, asked)


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_column_by_every_operator(open_hurting: OpenHurting, dialect: Dialect) -> None:
    table = hurting(dialect)
    async with dataset(table, "tables", "iso", serve(open_hurting(dialect)), CONNECTION) as opened:
        assert not await faults(opened, table, [*joined(table), *questions(table, ASKED)])


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize(("dialect", "generation", "culture"), DATED_IN)
async def test_days_and_moments_in_every_culture(
    open_hurting: OpenHurting, dialect: Dialect, generation: Generation, culture: Culture
) -> None:
    table = hurting(dialect)
    async with dataset(
        table, generation, culture, serve(open_hurting(dialect), culture), CONNECTION
    ) as opened:
        assert not await faults(opened, table, questions(table, DATED))


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_over_a_socket(open_hurting: OpenHurting, dialect: Dialect) -> None:
    table = hurting(dialect)
    async with (
        served(serve(open_hurting(dialect))) as address,
        dataset(table, "tables", "de", f"http://{address}", CONNECTION) as opened,
    ):
        assert not await faults(opened, table, [*joined(table), *list(questions(table, ("WORD",)))[::3]])


def test_the_plain_filter_can_tell_a_wrong_answer() -> None:
    table = hurting("sqlite")
    asked = dict(joined(table))["AND"]
    assert translate(table, asked).groups
    assert "missing" in find_fault(table, asked, [])
