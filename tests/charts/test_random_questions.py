"""For random tables and random questions the rows that come back are those that the oracle gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from tests.charts.asking import Post, at_once, find_fault_of, over_http
from tests.charts.connector import HonestConnector, SqlConnector
from tests.charts.drawn import Case, cases
from tests.charts.questions import Condition, Culture, DateRange, Group, Question
from tests.charts.services import example, read_announced, sample, write_csv, write_sqlite
from tests.charts.tables import Table

pytestmark = pytest.mark.anyio

CAREFREE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
# The same cases each time: a test that fails on some days only helps nobody who changes something else.
BRIEF = settings(max_examples=20, deadline=None, suppress_health_check=CAREFREE)
LONG = settings(max_examples=60, deadline=None, suppress_health_check=CAREFREE)
SLASHED: tuple[Culture, ...] = ("en", "en-gb")


async def assert_right(post: Post, table: Table, case: Case) -> None:
    for question in case.questions:
        named = _with_codes_of(table, case.table, question)
        assert not await find_fault_of(post, table, named, case.dialect), named


@pytest.mark.campaign("random questions")
@pytest.mark.parametrize("kind", [HonestConnector, SqlConnector])
@BRIEF
@given(case=cases())
async def test_the_honest_connector(kind: type[HonestConnector], case: Case) -> None:
    await assert_right(at_once(kind(case.table, culture=case.dialect.culture)), case.table, case)


@pytest.mark.campaign("random questions")
@pytest.mark.parametrize("write", [write_csv, write_sqlite])
@BRIEF
@given(case=cases())
async def test_the_sample_connector(write: Callable[[Table, Path], Path], case: Case, tmp_path: Path) -> None:
    case = _without_blank_rows(case)
    async with sample(write(case.table, tmp_path), case.dialect.culture) as client:
        table = await read_announced(client, case.table)
        await assert_right(over_http(client), table, case)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def examples(folder: Path) -> Iterator[dict[Culture | None, str]]:
    """The connector of the guide with each setting that makes a difference to it."""
    with ExitStack() as stack:
        file = folder / "shop.sqlite3"
        yield {culture: stack.enter_context(example(file, culture)) for culture in (None, *SLASHED)}


@pytest.mark.campaign("random questions")
@BRIEF
@given(case=cases())
async def test_the_example_connector(examples: dict[Culture | None, str], folder: Path, case: Case) -> None:
    write_sqlite(case.table, folder)
    culture = case.dialect.culture if case.dialect.culture in SLASHED else None
    async with httpx.AsyncClient(base_url=examples[culture], trust_env=False) as client:
        table = await read_announced(client, case.table)
        await assert_right(over_http(client), table, case)


@pytest.mark.campaign("random questions")
@LONG
@given(case=cases())
async def test_many_more_cases(
    examples: dict[Culture | None, str], folder: Path, tmp_path: Path, case: Case
) -> None:
    """All connectors, and the sample over a file of either kind."""
    case = _without_blank_rows(case)
    culture = case.dialect.culture
    await assert_right(at_once(HonestConnector(case.table, culture=culture)), case.table, case)
    for file in (write_csv(case.table, tmp_path), write_sqlite(case.table, tmp_path)):
        async with sample(file, culture) as client:
            await assert_right(over_http(client), await read_announced(client, case.table), case)
    write_sqlite(case.table, folder)
    address = examples[culture if culture in SLASHED else None]
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        await assert_right(over_http(client), await read_announced(client, case.table), case)


def _without_blank_rows(case: Case) -> Case:
    """A line of a CSV file in which all cells are empty is no row."""
    rows = tuple(row for row in case.table.rows if any(value is not None for value in row.values()))
    return replace(case, table=replace(case.table, rows=rows))


def _with_codes_of(announced: Table, drawn: Table, question: Question) -> Question:
    """Return the question about the columns as a connector announces them."""
    pairs = zip(drawn.columns, announced.columns, strict=True)
    codes = {own.code: other.code for own, other in pairs}

    def move(condition: Condition) -> Condition:
        return replace(condition, column=codes[condition.column])

    dates = question.dates
    return replace(
        question,
        select=tuple(codes[code] for code in question.select),
        dates=DateRange(codes[dates.column], dates.first, dates.last) if dates else None,
        groups=tuple(Group(tuple(map(move, group.members)), group.logic) for group in question.groups),
        plain=tuple(map(move, question.plain)),
    )
