"""What a connector hears when a chart is opened, pair by pair, for each operator, generation and culture.

The expected forms are written by hand after the description of the portal's requests.
"""

from __future__ import annotations

from datetime import date

import pytest

from bi_mcp.config import Culture, Generation
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_question import ChartCondition, ChartDateRange
from tests.practice.portal.charting import COLUMNS, PASSWORD, chart_portal, where

pytestmark = pytest.mark.anyio

GENERATIONS: list[Generation] = ["classic", "tables"]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            where("CARRIER", "one of", "UA", "AA"),
            [("filter[0][0][=CARRIER][0]", "UA"), ("filter[0][0][=CARRIER][1]", "AA")],
        ),
        (where("CARRIER", "one of", "UA"), [("filter[0][0][=CARRIER][0]", "UA")]),
        (where("CARRIER", "one of", "UA", exclude=True), [("filter[0][0][!=CARRIER][0]", "UA")]),
        (where("CARRIER", "contains", "U"), [("filter[0][0][%CARRIER][0]", "U")]),
        (where("CARRIER", "contains", "U", exclude=True), [("filter[0][0][!%CARRIER][0]", "U")]),
        (
            where("DELAY", "between", "1", "5"),
            [("filter[0][0][><DELAY][0]", "1"), ("filter[0][0][><DELAY][1]", "5")],
        ),
        (
            where("DELAY", "between", "1", "5", exclude=True),
            [("filter[0][0][!><DELAY][0]", "1"), ("filter[0][0][!><DELAY][1]", "5")],
        ),
        (where("DELAY", ">", "100"), [("filter[0][0][>DELAY][0]", "100")]),
        (where("DELAY", ">", "100", exclude=True), [("filter[0][0][!>DELAY][0]", "100")]),
        (where("DELAY", ">=", "100"), [("filter[0][0][>=DELAY][0]", "100")]),
        (where("DELAY", ">=", "100", exclude=True), [("filter[0][0][!>=DELAY][0]", "100")]),
        (where("DELAY", "<", "-1.5"), [("filter[0][0][<DELAY][0]", "-1.5")]),
        (where("DELAY", "<", "100", exclude=True), [("filter[0][0][!<DELAY][0]", "100")]),
        (where("DELAY", "<=", "100"), [("filter[0][0][<=DELAY][0]", "100")]),
        (where("DELAY", "<=", "100", exclude=True), [("filter[0][0][!<=DELAY][0]", "100")]),
        (where("DELAY", "one of", "0"), [("filter[0][0][=DELAY][0]", "0")]),
        (where("CARRIER", "one of", "", "ü&=[]"), [("filter[0][0][=CARRIER][0]", ""), ("filter[0][0][=CARRIER][1]", "ü&=[]")]),
    ],
)  # fmt: skip
async def test_a_condition_is_a_group_of_its_own_with_its_values_as_a_list(
    condition: ChartCondition, expected: list[tuple[str, str]], generation: Generation
) -> None:
    async with chart_portal(generation) as portal:
        await portal.open(groups=((condition,),))
        assert portal.heard() == [("filter[0][LOGIC]", "OR"), *expected]


@pytest.mark.parametrize(
    ("generation", "exclude", "expected"),
    [
        ("classic", False, ("filter[0][0][=CARRIER]", "")),
        ("classic", True, ("filter[0][0][!=CARRIER]", "")),
        ("tables", False, ("filter[0][0][=CARRIER]", "0")),
        ("tables", True, ("filter[0][0][!=CARRIER]", "0")),
    ],
)
async def test_the_empty_test_is_a_bare_false(
    generation: Generation, exclude: bool, expected: tuple[str, str]
) -> None:
    async with chart_portal(generation) as portal:
        await portal.open(groups=((where("CARRIER", "empty", exclude=exclude),),))
        assert portal.heard() == [("filter[0][LOGIC]", "OR"), expected]


async def test_conditions_are_groups_and_members_of_a_group_are_numbered() -> None:
    async with chart_portal() as portal:
        await portal.open(
            groups=(
                (where("CARRIER", "one of", "UA"), where("DELAY", ">", "9")),
                (where("PRICE", "<=", "1.5"),),
            )
        )
        assert portal.heard() == [
            ("filter[0][LOGIC]", "OR"),
            ("filter[0][0][=CARRIER][0]", "UA"),
            ("filter[0][1][>DELAY][0]", "9"),
            ("filter[1][LOGIC]", "OR"),
            ("filter[1][0][<=PRICE][0]", "1.5"),
        ]


WRITTEN: list[tuple[Culture, str, str, str, str]] = [
    # culture, day, the same day as date-time, noon and the last second of the day
    ("ru", "05.02.2025", "05.02.2025 00:00:00", "05.02.2025 12:30:00", "05.02.2025 23:59:59"),
    ("de", "05.02.2025", "05.02.2025 00:00:00", "05.02.2025 12:30:00", "05.02.2025 23:59:59"),
    ("en", "02/05/2025", "02/05/2025 12:00:00 am", "02/05/2025 12:30:00 pm", "02/05/2025 11:59:59 pm"),
    ("en-gb", "05/02/2025", "05/02/2025 00:00:00", "05/02/2025 12:30:00", "05/02/2025 23:59:59"),
    ("iso", "2025-02-05", "2025-02-05 00:00:00", "2025-02-05 12:30:00", "2025-02-05 23:59:59"),
]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(("culture", "day", "midnight", "noon", "last"), WRITTEN)
async def test_dates_are_written_as_the_culture_and_the_type_of_the_column_want(
    culture: Culture, day: str, midnight: str, noon: str, last: str, generation: Generation
) -> None:
    values = ("2025-02-05", "2025-02-05 12:30:00", "2025-02-05T23:59:59")
    async with chart_portal(generation, culture) as portal:
        await portal.open(groups=((where("DAY", "one of", *values), where("MOMENT", "one of", *values)),))
        assert portal.heard() == [
            ("filter[0][LOGIC]", "OR"),
            ("filter[0][0][=DAY][0]", day),
            ("filter[0][0][=DAY][1]", day),
            ("filter[0][0][=DAY][2]", day),
            ("filter[0][1][=MOMENT][0]", midnight),
            ("filter[0][1][=MOMENT][1]", noon),
            ("filter[0][1][=MOMENT][2]", last),
        ]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(("culture", "day", "midnight", "noon", "last"), WRITTEN)
async def test_a_date_range_ends_with_the_last_second_of_its_last_day(
    culture: Culture, day: str, midnight: str, noon: str, last: str, generation: Generation
) -> None:
    only = date(2025, 2, 5)
    async with chart_portal(generation, culture) as portal:
        await portal.open(dates=ChartDateRange(only, only))
        assert portal.heard() == [("filter[>=DAY]", day), ("filter[<=DAY]", last)]
        await portal.open(dates=ChartDateRange(only, only, "MOMENT"))
        assert portal.heard() == [("filter[>=MOMENT]", midnight), ("filter[<=MOMENT]", last)]
        await portal.open(dates=ChartDateRange(end=only))
        assert portal.heard() == [("filter[<=DAY]", last)]


async def test_a_date_range_means_the_first_time_column_that_is_visible() -> None:
    async with chart_portal() as portal:
        await portal.caller.result(
            "biconnector.dataset.fields.update", id=portal.dataset, update=[{"id": 3, "visible": False}]
        )
        await portal.open(columns=("DELAY",), dates=ChartDateRange(start=date(2025, 2, 5)))
        assert portal.heard() == [("select[0]", "DELAY"), ("filter[>=MOMENT]", "05.02.2025 00:00:00")]


SELECTED = [("table", "flights"), ("select[0]", "DELAY"), ("select[1]", "CARRIER"), ("limit", "10")]
SETTINGS = [("connection[login]", PASSWORD), ("connection[port]", "8080")]


async def test_a_classic_portal_sends_names_and_nothing_that_leads_to_codes() -> None:
    async with chart_portal("classic") as portal:
        await portal.open(columns=("DELAY", "CARRIER"), limit=10)
        await portal.open()
        assert portal.recorder.forms == [[*SELECTED, *SETTINGS], [("table", "flights"), *SETTINGS]]


async def test_a_newer_portal_maps_the_codes_of_what_it_selects_to_names() -> None:
    async with chart_portal("tables") as portal:
        await portal.open(columns=("DELAY", "CARRIER"), limit=10)
        mapped = [("mapFields[dep_delay]", "DELAY"), ("mapFields[airline]", "CARRIER")]
        assert portal.recorder.forms == [[*SELECTED, *mapped, *SETTINGS]]


async def test_without_a_selection_a_newer_portal_maps_all_columns_hidden_ones_too() -> None:
    async with chart_portal("tables") as portal:
        await portal.caller.result(
            "biconnector.dataset.fields.update", id=portal.dataset, update=[{"id": 1, "visible": False}]
        )
        chart = await portal.open()
        mapped = [
            ("mapFields[airline]", "CARRIER"),
            ("mapFields[dep_delay]", "DELAY"),
            ("mapFields[flown_on]", "DAY"),
            ("mapFields[flown_at]", "MOMENT"),
            ("mapFields[price]", "PRICE"),
        ]
        assert portal.recorder.forms == [[("table", "flights"), *mapped, *SETTINGS]]
        assert chart.columns == ("DELAY", "DAY", "MOMENT", "PRICE")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"columns": ("airline",)}, "no visible column 'airline'. It has CARRIER, DELAY"),
        ({"groups": ((where("NOWHERE", "empty"),),)}, "no visible column 'NOWHERE'"),
        ({"groups": ((where("DELAY", "between", "1"),),)}, "'between' takes 2 values, and DELAY got 1"),
        ({"groups": ((where("DELAY", ">", "1", "2"),),)}, "'>' takes one value, and DELAY got 2"),
        ({"groups": ((where("DELAY", "one of"),),)}, "'one of' takes 1 value or more, and DELAY got 0"),
        ({"groups": ((where("DELAY", "empty", "x"),),)}, "'empty' takes no value, and DELAY got 1"),
        ({"groups": ((where("DELAY", ">", "many"),),)}, "DELAY takes numbers, not 'many'"),
        ({"groups": ((where("DAY", ">", "31.12.2025"),),)}, "DAY takes dates such as 2025-12-31"),
        ({"groups": ((where("DAY", ">", "2025-12-31T00:00:00Z"),),)}, "DAY takes dates such as 2025-12-31"),
        ({"dates": ChartDateRange(date(2025, 1, 1), column="DELAY")}, "and DELAY is int"),
    ],
)
async def test_what_bi_builder_would_not_offer_is_refused_before_the_call(
    parts: dict[str, object], said: str
) -> None:
    async with chart_portal() as portal:
        with pytest.raises(ModuleFault) as refused:
            await portal.open(**parts)
        assert (refused.value.code, said in refused.value.message) == ("CHART_QUESTION", True)
        assert portal.recorder.forms == []


async def test_a_date_range_needs_a_time_column() -> None:
    async with chart_portal(columns=COLUMNS[:2]) as portal:
        with pytest.raises(ModuleFault, match="no visible column of type date or datetime"):
            await portal.open(dates=ChartDateRange(date(2025, 1, 1)))
