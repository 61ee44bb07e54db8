"""The data that comes with the package."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import httpx
import pytest

import bi_mcp.practice.sample
from bi_mcp.practice.sample.bundled import open_bundled
from tests.practice.sample.calls import rows

pytestmark = pytest.mark.anyio

DATA = Path(bi_mcp.practice.sample.__file__).parent / "data"


def test_the_data_is_small_and_names_its_origin_and_licence() -> None:
    origin = (DATA / "README.md").read_text(encoding="utf-8")

    assert sum(file.stat().st_size for file in DATA.glob("*.csv")) < 500_000
    assert "Bureau of Transportation Statistics" in origin
    assert "public\ndomain" in origin


async def test_the_readme_counts_the_rows_right(demo: httpx.AsyncClient) -> None:
    origin = (DATA / "README.md").read_text(encoding="utf-8")
    counts = {
        table: int(count.replace(",", "")) for table, count in re.findall(r"`(\w+)\.csv` \| ([\d,]+)", origin)
    }

    assert set(counts) == {"flights", "weather", "airlines", "airports"}
    assert {table: len(await rows(demo, table)) for table in counts} == counts


async def test_every_flight_joins_an_airline_and_two_airports(demo: httpx.AsyncClient) -> None:
    carriers = {carrier for carrier, _ in await rows(demo, "airlines")}
    airports = {row[0] for row in await rows(demo, "airports")}
    flights = await rows(demo, "flights", {"select[]": ["CARRIER", "ORIGIN", "DESTINATION"]})

    assert all(carrier in carriers for carrier, _, _ in flights)
    assert {end for _, *ends in flights for end in ends} == airports


async def test_the_temperature_of_a_flight_is_the_one_of_its_airports_weather(
    demo: httpx.AsyncClient,
) -> None:
    weather = {(row[0], row[1]): row[2] for row in await rows(demo, "weather")}
    flights = await rows(demo, "flights", {"select[]": ["ORIGIN", "SCHEDULED_DEPARTURE", "TEMPERATURE"]})

    assert all(weather.get((origin, f"{at[:13]}:00:00")) == celsius for origin, at, celsius in flights)


async def test_many_first_requests_at_once_are_all_answered(demo: httpx.AsyncClient) -> None:
    open_bundled.cache_clear()
    counts: list[int] = []

    async def ask() -> None:
        counts.append(len(await rows(demo, "flights")))

    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(ask)

    assert counts == [2699] * 12


async def test_what_the_data_can_show(demo: httpx.AsyncClient) -> None:
    cancelled = await rows(demo, "flights", {"filter[ACTUAL_DEPARTURE]": ""})
    [[latest]] = await rows(
        demo, "flights", {"filter[>DEPARTURE_DELAY]": "800", "select[]": ["DEPARTURE_DELAY"]}
    )
    windy = await rows(demo, "weather", {"filter[>=WIND_SPEED]": "18", "select[]": ["AIRPORT"]})

    assert len(cancelled) == 22
    assert latest == 853
    assert len(windy) == 4
