"""Charts of the practice portal on the sample connector, compared with the shipped data."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import httpx
import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import Culture, Generation, LocalPortalSettings
from bi_mcp.practice import sample
from bi_mcp.practice.portal.chart_question import ChartCondition, ChartDateRange, ChartQuestion
from bi_mcp.practice.run import build_portal
from tests.practice.portal.calling import TOKEN, Caller
from tests.practice.portal.charting import where

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("charts")]

Flight = Mapping[str, str]
Holds = Callable[[Flight], bool]
COLUMNS = {
    "FLIGHT_DATE": "date",
    "SCHEDULED_DEPARTURE": "datetime",
    "CARRIER": "string",
    "DEPARTURE_DELAY": "int",
    "TEMPERATURE": "double",
}
READERS: Mapping[str, Callable[[str], object]] = {"int": int, "double": float}

# A condition, and which flights with a value in its column satisfy it.
VALUES: list[tuple[ChartCondition, Holds]] = [
    (where("CARRIER", "one of", "UA", "AA"), lambda flight: flight["CARRIER"] in {"UA", "AA"}),
    (where("CARRIER", "contains", "U"), lambda flight: "U" in flight["CARRIER"]),
    (where("DEPARTURE_DELAY", "one of", "0"), lambda flight: int(flight["DEPARTURE_DELAY"]) == 0),
    (where("DEPARTURE_DELAY", "between", "1", "5"), lambda flight: 1 <= int(flight["DEPARTURE_DELAY"]) <= 5),
    (where("DEPARTURE_DELAY", ">", "100"), lambda flight: int(flight["DEPARTURE_DELAY"]) > 100),
    (where("DEPARTURE_DELAY", "<=", "-10"), lambda flight: int(flight["DEPARTURE_DELAY"]) <= -10),
    (where("TEMPERATURE", ">=", "3.9"), lambda flight: float(flight["TEMPERATURE"]) >= 3.9),
    (where("TEMPERATURE", "<", "-0.5"), lambda flight: float(flight["TEMPERATURE"]) < -0.5),
]
DATES: list[tuple[ChartCondition, Holds]] = [
    (where("FLIGHT_DATE", "one of", "2013-01-02"), lambda flight: flight["FLIGHT_DATE"] == "2013-01-02"),
    (where("FLIGHT_DATE", ">", "2013-01-01"), lambda flight: flight["FLIGHT_DATE"] > "2013-01-01"),
    (
        where("SCHEDULED_DEPARTURE", "between", "2013-01-01 12:00:00", "2013-01-02 00:30:00"),
        lambda flight: "2013-01-01 12:00:00" <= flight["SCHEDULED_DEPARTURE"] <= "2013-01-02 00:30:00",
    ),
]


@cache
def flights() -> list[Flight]:
    path = Path(sample.__file__).with_name("data") / "flights.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def satisfying(column: str, holds: Holds, *, excluded: bool = False) -> Holds:
    """A flight without a value in the column satisfies no condition on it."""
    return lambda flight: flight[column] != "" and holds(flight) is not excluded


def rows(holds: Holds) -> list[tuple[object, ...]]:
    """What a chart must show of the flights, sorted: nothing promises an order."""
    found = [
        tuple(
            READERS.get(column_type, str)(flight[name]) if flight[name] else None
            for name, column_type in COLUMNS.items()
        )
        for flight in flights()
        if holds(flight)
    ]
    assert 0 < len(found) < len(flights())
    return sorted(found, key=repr)


class Shown:
    """The dataset `flights` on a practice portal."""

    def __init__(self, generation: Generation, culture: Culture) -> None:
        self.app = build_portal(
            LocalPortalSettings(generation=generation, culture=culture, access_token=Secret(TOKEN))
        )

    async def fill(self) -> None:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.localhost/rest/") as http:
            caller = Caller(http)
            addresses = {field: sample.ORIGIN + path for field, path in sample.ENDPOINTS.items()}
            settings = [{"code": code, "name": code, "type": "STRING"} for code in ("login", "password")]
            fields: dict[str, object] = {"title": "Sample", "logo": "data:,", "settings": settings}
            await caller.result("biconnector.connector.add", fields={**fields, **addresses})
            secrets = {"login": "demo", "password": sample.DEMO_PASSWORD}
            await caller.result(
                "biconnector.source.add", fields={"title": "New York", "connectorId": 1, "settings": secrets}
            )
            columns = [{"name": name, "externalCode": name, "type": kind} for name, kind in COLUMNS.items()]
            await caller.result(
                "biconnector.dataset.add",
                fields={
                    "name": "flights",
                    "sourceId": 1,
                    "externalCode": "flights",
                    "externalName": "Flights",
                    "fields": columns,
                },
            )

    async def rows(
        self, *groups: tuple[ChartCondition, ...], dates: ChartDateRange | None = None
    ) -> list[object]:
        question = ChartQuestion("flights", columns=tuple(COLUMNS), groups=groups, dates=dates)
        chart = await self.app.state.charts.open(question)
        assert chart.failure is None, (chart.failure.reason, chart.sent, chart.answer)
        return sorted(chart.rows, key=repr)


async def check_both_ways(shown: Shown, condition: ChartCondition, holds: Holds) -> None:
    """Compare the rows of a condition with the data, and those of the excluded one."""
    assert await shown.rows((condition,)) == rows(satisfying(condition.column, holds)), condition
    excluded = where(condition.column, condition.operator, *condition.values, exclude=True)
    # Whether a flight without a value satisfies an excluded condition is left open.
    known = where(condition.column, "empty", exclude=True)
    wanted = rows(satisfying(condition.column, holds, excluded=True))
    assert await shown.rows((excluded,), (known,)) == wanted, excluded


@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_conditions_on_texts_and_numbers_show_the_rows_that_satisfy_them(
    generation: Generation,
) -> None:
    shown = Shown(generation, "ru")
    await shown.fill()
    for condition, holds in VALUES:
        await check_both_ways(shown, condition, holds)


@pytest.mark.parametrize("generation", ["classic", "tables"])
@pytest.mark.parametrize("culture", ["ru", "en", "en-gb", "de", "iso"])
async def test_conditions_on_dates_show_the_rows_that_satisfy_them_in_every_culture(
    generation: Generation, culture: Culture
) -> None:
    shown = Shown(generation, culture)
    await shown.fill()
    for condition, holds in DATES:
        await check_both_ways(shown, condition, holds)
    day = date(2013, 1, 2)
    # Each flight has its scheduled departure on its own day.
    on_day = rows(lambda flight: flight["FLIGHT_DATE"] == "2013-01-02")
    for column in ("FLIGHT_DATE", "SCHEDULED_DEPARTURE"):
        assert await shown.rows(dates=ChartDateRange(day, day, column)) == on_day


@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_the_empty_test_and_groups_show_the_rows_that_satisfy_them(generation: Generation) -> None:
    shown = Shown(generation, "ru")
    await shown.fill()
    assert await shown.rows((where("DEPARTURE_DELAY", "empty"),)) == rows(
        lambda flight: flight["DEPARTURE_DELAY"] == ""
    )
    assert await shown.rows((where("DEPARTURE_DELAY", "empty", exclude=True),)) == rows(
        lambda flight: flight["DEPARTURE_DELAY"] != ""
    )
    either = (where("CARRIER", "one of", "UA"), where("DEPARTURE_DELAY", "empty"))
    assert await shown.rows(
        either, (where("CARRIER", "contains", "A"),), dates=ChartDateRange(end=date(2013, 1, 2))
    ) == rows(
        lambda flight: (
            (flight["CARRIER"] == "UA" or flight["DEPARTURE_DELAY"] == "")
            and "A" in flight["CARRIER"]
            and flight["FLIGHT_DATE"] <= "2013-01-02"
        )
    )
