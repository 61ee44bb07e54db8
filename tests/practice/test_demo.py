"""The demo is the first thing a newcomer runs; its status must not lie."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bi_mcp.practice import demo, sample
from bi_mcp.practice.demo import charts, job

pytestmark = pytest.mark.anyio


async def told() -> tuple[int, str]:
    text = io.StringIO()
    status = await demo.run(Console(file=text, width=120))
    return status, text.getvalue()


async def test_the_story_ends_well_and_shows_tree_refusals_and_charts() -> None:
    status, text = await told()
    assert status == 0
    for expected in (
        "bi://dataset/fields",
        "CONNECTOR_DELETE_RESTRICTED",
        "begins with a capital Latin letter",
        "TAIL_NUMBER string ← TAIL_NUMBER (hidden)",
        "TEMPERATURE double ← TEMPERATURE",
        "2013-01-01 05:15:00",
        "filter[>=FLIGHT_DATE]=02.01.2013",
        "filter[<=FLIGHT_DATE]=03.01.2013 23:59:59",
        "filter[0][0][=CARRIER][1]=AA",
        "filter[0][0][><DEPARTURE_DELAY][0]=60",
        "filter[0][0][=DEPARTURE_DELAY]=0",
        "Every step did what it should",
    ):
        assert expected in text
    assert sample.DEMO_PASSWORD not in text


async def test_a_step_that_goes_wrong_ends_the_story_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "LOGIN", "a-stranger")
    status, text = await told()
    assert status == 1
    assert "source_add succeeds, but it said" in text
    assert "SOURCE_CREATE_CONNECTION_ERROR" in text
    assert "Every step did what it should" not in text


async def test_a_chart_that_differs_from_the_data_ends_the_story_with_status_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fewer = charts.read_flights()[1:]
    monkeypatch.setattr(charts, "read_flights", lambda: fewer)
    status, text = await told()
    assert status == 1
    assert "Expected that" in text
    assert "Every step did what it should" not in text
