"""The sample answers every shape in which a portal of any culture and generation asks for rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from bi_mcp.errors import ConfigError
from bi_mcp.practice.sample import ORIGIN, create_app
from tests.practice.sample.calls import call, error, rows
from tests.practice.sample.request_shapes import (
    CULTURES,
    FLIGHTS,
    GENERATIONS,
    SHAPES,
    Shape,
    request_form,
)

pytestmark = pytest.mark.anyio

# The data has three days: none is later than the last two.
ALL_OR_NONE = {"no filter", "a value with %", "a huge number"} | {
    f"{prefix}<= FLIGHT_DATE 2 {culture}" for prefix in ("", "!") for culture in CULTURES
}


@asynccontextmanager
async def connector(culture: str | None) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(culture=culture)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_it_answers_the_rows_that_python_finds(shape: Shape, generation: str) -> None:
    async with connector(shape.culture) as client:
        answer = (await call(client, "/data", request_form(shape, generation))).json()
    assert answer == shape.answer()


def test_every_shape_tells_rows_apart() -> None:
    counts = {shape.name: len(shape.rows()) for shape in SHAPES}
    same = {name for name, count in counts.items() if count in {0, len(FLIGHTS)}}
    assert same == ALL_OR_NONE
    assert len(counts) == len(SHAPES)


@pytest.mark.parametrize("culture", [None, "ru", "de", "iso"])
@pytest.mark.parametrize("text", ["01/02/2013", "02/01/2013 23:59:59", "1/2/2013 11:59:59 pm"])
async def test_a_date_that_can_be_read_in_two_ways_is_refused_with_the_setting(
    culture: str | None, text: str
) -> None:
    async with connector(culture) as client:
        status, sentence = await error(client, "/data", {"table": "flights", "filter[<=FLIGHT_DATE]": text})
    assert status == 400
    assert f"The date {text!r} can be read in two ways." in sentence
    assert "BI_MCP_SAMPLE_CULTURE" in sentence


@pytest.mark.parametrize(
    "text", ["13/01/2013", "01/13/2013", "01/13/2013 12:00:00 am", "13.1.2013", "2013-01-13"]
)
async def test_a_date_with_one_reading_needs_no_setting(text: str) -> None:
    async with connector(None) as client:
        form = {"filter[<FLIGHT_DATE]": text}
        assert len(await rows(client, "flights", form)) == len(FLIGHTS)
        assert await rows(client, "flights", {"filter[>=FLIGHT_DATE]": text}) == []


def test_a_culture_that_is_not_known_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match="'fr' is not a known culture"):
        create_app(culture="fr")


@pytest.mark.parametrize(("culture", "text"), [("en", "13/01/2013"), ("en-gb", "01/13/2013")])
async def test_a_date_that_contradicts_the_setting_is_refused(culture: str, text: str) -> None:
    """The setting is wrong then, and the next date of the same portal would be read wrongly without a word."""
    async with connector(culture) as client:
        status, sentence = await error(client, "/data", {"table": "flights", "filter[>FLIGHT_DATE]": text})
    assert (status, sentence) == (400, f"Column 'FLIGHT_DATE' is of type date, which {text!r} is not.")
