"""Charts of the practice portal: every question, generation and culture on our connectors, judged by the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.practice.sample import create_app
from tests.charts.charting import can_be_asked, dataset
from tests.charts.connector import CONNECTION, HonestConnector
from tests.charts.drawn import Case, cases
from tests.charts.flaws import CodesInHeader, NamesInHeader, NoLists, OrAsAnd
from tests.charts.questions import CULTURES, GENERATIONS, Culture, Generation, Question
from tests.charts.services import example, read_announced, write_csv, write_sqlite
from tests.charts.shapes import shapes
from tests.charts.tables import Table, shop

pytestmark = pytest.mark.anyio

# Two of them show most of what can be wrong.
TYPICAL: set[tuple[Generation, Culture]] = {("classic", "ru"), ("tables", "en")}
EVERY_PORTAL = pytest.mark.parametrize(
    ("generation", "culture"),
    [
        pytest.param(*portal, marks=() if portal in TYPICAL else pytest.mark.campaign("charts"))
        for portal in product(GENERATIONS, CULTURES)
    ],
)


async def faults(
    table: Table, generation: Generation, culture: Culture, connector: ASGIApp | str
) -> dict[str, str]:
    """Open a chart of each shape, and keep what is wrong by the shape's title."""
    asked = [
        shape
        for shape in shapes(table, [culture])
        if shape.dialect.generation == generation and can_be_asked(shape.question)
    ]
    assert len(asked) > 100
    async with dataset(table, generation, culture, connector) as opened:
        found = {shape.title: await opened.fault(shape.question) for shape in asked}
    return {title: fault for title, fault in found.items() if fault}


@EVERY_PORTAL
async def test_charts_on_the_honest_connector(generation: Generation, culture: Culture) -> None:
    table = shop()
    assert not await faults(table, generation, culture, HonestConnector(table, culture=culture))


@EVERY_PORTAL
async def test_charts_on_the_sample_connector(
    generation: Generation, culture: Culture, tmp_path: Path
) -> None:
    table = shop()
    login, password = CONNECTION["login"], Secret(CONNECTION["password"])
    app = create_app(write_csv(table, tmp_path), login=login, password=password, culture=culture)
    assert not await faults(table, generation, culture, app)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Culture | None, str]]:
    """The connector of the guide with each setting that makes a difference to it."""
    file = write_sqlite(shop(), tmp_path_factory.mktemp("example"))
    with (
        example(file, None) as plain,
        example(file, "en") as month_first,
        example(file, "en-gb") as day_first,
    ):
        yield {None: plain, "en": month_first, "en-gb": day_first}


@EVERY_PORTAL
async def test_charts_on_the_example_connector(
    examples: dict[Culture | None, str], generation: Generation, culture: Culture
) -> None:
    address = examples.get(culture, examples[None])
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        table = await read_announced(client, shop())
    assert not await faults(table, generation, culture, address)


async def test_a_chart_on_a_wrong_connector_stays_empty_or_shows_wrong_rows() -> None:
    """What is compared above can differ."""
    table = shop()
    refused = await faults(table, "tables", "ru", NoLists(table))
    assert "status" in refused["tables ru one of 1 carrier string"]
    wrong = await faults(table, "tables", "ru", OrAsAnd(table))
    assert "rows are missing" in wrong["tables ru group joined by OR"]
    assert (
        "codes_in_header" in (await faults(table, "classic", "ru", CodesInHeader(table)))["classic ru select"]
    )
    assert (
        "names_in_header" in (await faults(table, "tables", "ru", NamesInHeader(table)))["tables ru select"]
    )


@pytest.mark.campaign("random questions")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
async def test_random_charts_on_the_honest_connector(case: Case) -> None:
    generation, culture = case.dialect.generation, case.dialect.culture
    connector = HonestConnector(case.table, culture=culture)
    async with dataset(case.table, generation, culture, connector) as opened:
        for question in case.questions:
            assert not can_be_asked(question) or not await opened.fault(question), question


@pytest.mark.parametrize("capitals", [False, True])
async def test_without_columns_an_older_portal_needs_codes_that_are_names(capitals: bool) -> None:
    table = shop(capitals=capitals)
    async with dataset(table, "classic", "ru", HonestConnector(table)) as opened:
        chart = await opened.open(Question())
    assert (chart.failure is None) is capitals
