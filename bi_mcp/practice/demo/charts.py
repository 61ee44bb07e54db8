"""Charts of the new dataset, opened as BI Builder opens them and compared with the data itself."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bi_mcp.practice import sample
from bi_mcp.practice.demo.story import Story, expect
from bi_mcp.practice.run import open_chart

if TYPE_CHECKING:
    from bi_mcp.config import LocalPortalSettings
    from bi_mcp.practice.portal.charts import Chart

Flight = Mapping[str, str]

FLIGHTS = Path(sample.__file__).with_name("data") / "flights.csv"
COLUMNS = ("FLIGHT_DATE", "CARRIER", "FLIGHT_NUMBER", "DEPARTURE_DELAY")
FIRST = ("SCHEDULED_DEPARTURE", "CARRIER", "FLIGHT_NUMBER", "ORIGIN", "DEPARTURE_DELAY")
NUMBERS = {"FLIGHT_NUMBER", "DEPARTURE_DELAY"}


@dataclass(frozen=True)
class Example:
    """A chart's question, and the flights of the data that must answer it."""

    title: str
    question: Mapping[str, object]
    holds: Callable[[Flight], bool]


def _condition(column: str, operator: str, *values: str) -> dict[str, object]:
    return {"column": column, "operator": operator, "values": list(values)}


EXAMPLES = (
    Example(
        "a date range, 2 to 3 January",
        {"dates": {"from": "2013-01-02", "to": "2013-01-03"}},
        lambda flight: "2013-01-02" <= flight["FLIGHT_DATE"] <= "2013-01-03",
    ),
    Example(
        "CARRIER is one of UA, AA",
        {"where": [_condition("CARRIER", "one of", "UA", "AA")]},
        lambda flight: flight["CARRIER"] in {"UA", "AA"},
    ),
    Example(
        "DEPARTURE_DELAY between 60 and 120",
        {"where": [_condition("DEPARTURE_DELAY", "between", "60", "120")]},
        lambda flight: flight["DEPARTURE_DELAY"] != "" and 60 <= int(flight["DEPARTURE_DELAY"]) <= 120,
    ),
    Example(
        "DEPARTURE_DELAY is empty",
        {"where": [_condition("DEPARTURE_DELAY", "empty")]},
        lambda flight: flight["DEPARTURE_DELAY"] == "",
    ),
)


async def open_charts(story: Story, portal: LocalPortalSettings, dataset: int) -> None:
    """Open a chart with each kind of condition, and add up one column of all rows."""
    story.chapter("Charts: asked as BI Builder asks, compared with the data")
    first = await shown_chart(portal, dataset, {"columns": list(FIRST), "limit": 5})
    expect(len(first.rows) == 5, "a chart with a limit of 5 shows five rows")
    story.tells("chart", "some columns, with a limit of five rows")
    story.console.print(build_rows(first))
    flights = read_flights()
    for example in EXAMPLES:
        await _compare(story, portal, dataset, example, flights)
    await _add_up(story, portal, dataset, flights)


async def _compare(
    story: Story, portal: LocalPortalSettings, dataset: int, example: Example, flights: list[Flight]
) -> None:
    wanted = [row_of(flight) for flight in flights if example.holds(flight)]
    chart = await shown_chart(portal, dataset, example.question)
    expect(len(wanted) > 0, f"the data has flights for: {example.title}")
    # The data promises no order.
    expect(
        sorted(chart.rows, key=repr) == sorted(wanted, key=repr),
        f"a chart with {example.title} shows {len(wanted)} flights, but it shows {len(chart.rows)}",
    )
    story.tells("chart", f"{example.title}: {len(wanted)} flights, as in the data")
    conditions = [f"{key}={value}" for key, value in chart.sent if key.startswith("filter")]
    story.console.print(Padding(Text("\n".join(conditions), style="dim"), (0, 0, 0, 6)))


async def _add_up(story: Story, portal: LocalPortalSettings, dataset: int, flights: list[Flight]) -> None:
    chart = await shown_chart(portal, dataset, {})
    total = sum(int(flight["DEPARTURE_DELAY"] or 0) for flight in flights)
    added = sum(value for value in chart.values("DEPARTURE_DELAY") if isinstance(value, int))
    expect(added == total, f"the delays of all flights add up to {total}, but in the chart they are {added}")
    story.tells("chart", f"sum of DEPARTURE_DELAY over {len(flights)} flights: {total}, as in the data")


async def shown_chart(portal: LocalPortalSettings, dataset: int, question: Mapping[str, object]) -> Chart:
    """Open a chart that must not stay empty."""
    chart = await open_chart(portal, {"dataset": dataset, "columns": list(COLUMNS), **question})
    if chart.failure is not None:
        expect(
            holds=False, what=f"the chart shows rows, but it is empty: {chart.failure.reason} {chart.answer}"
        )
    return chart


def read_flights() -> list[Flight]:
    """Read the file behind the connector, past connector and portal."""
    with FLIGHTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row_of(flight: Flight) -> tuple[str | int | None, ...]:
    """Turn a line of the data into the row that a chart must show."""
    return tuple(
        None if flight[name] == "" else int(flight[name]) if name in NUMBERS else flight[name]
        for name in COLUMNS
    )


def build_rows(chart: Chart) -> Table:
    """Build a table of a chart's rows, numbers to the right."""
    table = Table(title="First rows, as a chart shows them", box=SIMPLE_HEAD, show_edge=False, padding=0)
    for name in chart.columns:
        numbers = all(isinstance(value, int | float | None) for value in chart.values(name))
        table.add_column(name, justify="right" if numbers else "left", no_wrap=True)
    for row in chart.rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    return table
