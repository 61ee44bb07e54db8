"""A chart's question as the two generations of portals write it. The expected lines are written by hand from the reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from bi_mcp.endpoints.dates import CultureName
from bi_mcp.endpoints.operators import Operator
from bi_mcp.endpoints.question import Condition, DatasetColumn, DateRange, Question, ask_all
from bi_mcp.endpoints.request import DataRequest, Dialect, build_request

COLUMNS = [
    DatasetColumn("DAY", "flight_date", "date"),
    DatasetColumn("SCHEDULED", "scheduled", "datetime"),
    DatasetColumn("CARRIER", "carrier", "string"),
    DatasetColumn("DELAY", "delay", "int"),
    DatasetColumn("TAIL", "tail", "string", visible=False),
]
NEWER, OLDER = Dialect(), Dialect(maps=False)


def written(question: Question, dialect: Dialect = OLDER) -> list[str]:
    """The form's lines without table and select, which are tested apart."""
    lines = build_request("flights", COLUMNS, replace(question, columns=("CARRIER",)), dialect).lines()
    return [line for line in lines if not line.startswith(("table=", "select[", "mapFields["))]


def test_select_holds_names_in_numbered_brackets() -> None:
    request = build_request("flights", COLUMNS, Question(columns=("CARRIER", "DAY"), limit=5), OLDER)

    assert request.lines() == ["table=flights", "select[0]=CARRIER", "select[1]=DAY", "limit=5"]


def test_newer_portals_map_the_selected_columns() -> None:
    request = build_request("flights", COLUMNS, Question(columns=("CARRIER", "DAY")), NEWER)

    assert request.lines()[3:] == ["mapFields[carrier]=CARRIER", "mapFields[flight_date]=DAY"]


def test_without_columns_the_visible_ones_are_asked_for_and_all_are_mapped() -> None:
    request = build_request("flights", COLUMNS, Question(), NEWER)

    assert request.select == ("DAY", "SCHEDULED", "CARRIER", "DELAY")
    assert list(request.map_fields.values()) == ["DAY", "SCHEDULED", "CARRIER", "DELAY", "TAIL"]


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("is", ("UA", "AA"), ["filter[0][0][{}=CARRIER][0]=UA", "filter[0][0][{}=CARRIER][1]=AA"]),
        ("contains", ("U",), ["filter[0][0][{}%CARRIER][0]=U"]),
        ("empty", (), ["filter[0][0][{}=CARRIER]=0"]),
    ],
)
@pytest.mark.parametrize("excluded", [False, True])
def test_conditions_on_texts(
    operator: Operator, values: tuple[str, ...], expected: list[str], excluded: bool
) -> None:
    question = Question(groups=((Condition("CARRIER", operator, values, excluded),),))

    assert written(question) == ["filter[0][LOGIC]=OR", *(line.format("!" * excluded) for line in expected)]


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("is", (0,), ["filter[0][0][{}=DELAY][0]=0"]),
        ("between", (1, 5), ["filter[0][0][{}><DELAY][0]=1", "filter[0][0][{}><DELAY][1]=5"]),
        ("greater", (100,), ["filter[0][0][{}>DELAY][0]=100"]),
        ("greater_or_equal", (100,), ["filter[0][0][{}>=DELAY][0]=100"]),
        ("less", (-1,), ["filter[0][0][{}<DELAY][0]=-1"]),
        ("less_or_equal", (2.5,), ["filter[0][0][{}<=DELAY][0]=2.5"]),
        ("empty", (), ["filter[0][0][{}=DELAY]=0"]),
    ],
)
@pytest.mark.parametrize("excluded", [False, True])
def test_conditions_on_numbers(
    operator: Operator, values: tuple[object, ...], expected: list[str], excluded: bool
) -> None:
    question = Question(groups=((Condition("DELAY", operator, values, excluded),),))

    assert written(question) == ["filter[0][LOGIC]=OR", *(line.format("!" * excluded) for line in expected)]


@pytest.mark.parametrize(
    ("culture", "day", "moment"),
    [
        ("ru", "31.12.2025", "31.12.2025 17:01:55"),
        ("de", "31.12.2025", "31.12.2025 17:01:55"),
        ("en", "12/31/2025", "12/31/2025 05:01:55 pm"),
        ("en-gb", "31/12/2025", "31/12/2025 17:01:55"),
        ("iso", "2025-12-31", "2025-12-31 17:01:55"),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_dates_are_written_in_the_portals_format(
    culture: CultureName, day: str, moment: str, as_text: bool
) -> None:
    on_day: object = "2025-12-31" if as_text else date(2025, 12, 31)
    at_moment: object = "2025-12-31T17:01:55" if as_text else datetime.fromisoformat("2025-12-31T17:01:55")
    question = Question(
        groups=ask_all(Condition("DAY", "is", (on_day,)), Condition("SCHEDULED", "greater", (at_moment,)))
    )

    assert written(question, Dialect(culture, maps=False)) == [
        "filter[0][LOGIC]=OR",
        f"filter[0][0][=DAY][0]={day}",
        "filter[1][LOGIC]=OR",
        f"filter[1][0][>SCHEDULED][0]={moment}",
    ]


@pytest.mark.parametrize(
    ("culture", "first", "last"),
    [
        ("ru", "01.05.2025", "31.05.2025 23:59:59"),
        ("en", "05/01/2025", "05/31/2025 11:59:59 pm"),
        ("en-gb", "01/05/2025", "31/05/2025 23:59:59"),
        ("iso", "2025-05-01", "2025-05-31 23:59:59"),
    ],
)
def test_a_date_range_stands_outside_of_the_groups(culture: CultureName, first: str, last: str) -> None:
    question = Question(dates=DateRange("DAY", date(2025, 5, 1), date(2025, 5, 31)))

    assert written(question, Dialect(culture, maps=False)) == [
        f"filter[>=DAY]={first}",
        f"filter[<=DAY]={last}",
    ]


def test_an_open_date_range_has_one_end() -> None:
    assert written(Question(dates=DateRange("DAY", first=date(2025, 5, 1)))) == ["filter[>=DAY]=01.05.2025"]


def test_the_beginning_of_a_range_on_moments_is_midnight() -> None:
    question = Question(dates=DateRange("SCHEDULED", first=date(2025, 5, 1)))

    assert written(question) == ["filter[>=SCHEDULED]=01.05.2025 00:00:00"]


def test_members_of_a_group_are_joined_by_or_and_groups_by_and() -> None:
    either = (Condition("CARRIER", "is", ("UA",)), Condition("DELAY", "empty"))
    question = Question(groups=(either, (Condition("TAIL", "contains", ("N",), excluded=True),)))

    assert written(question) == [
        "filter[0][LOGIC]=OR",
        "filter[0][0][=CARRIER][0]=UA",
        "filter[0][1][=DELAY]=0",
        "filter[1][LOGIC]=OR",
        "filter[1][0][!%TAIL][0]=N",
    ]


@pytest.mark.parametrize("value", ["tomorrow", "2025-12-31T17:01:55+03:00", "20251231", "31.12.2025"])
def test_what_is_not_an_iso_date_is_sent_as_it_is(value: str) -> None:
    question = Question(groups=((Condition("DAY", "is", (value,)),),))

    assert written(question)[1] == f"filter[0][0][=DAY][0]={value}"


def test_a_year_before_1000_has_four_digits() -> None:
    question = Question(groups=((Condition("DAY", "is", ("0001-01-01",)),),))

    assert written(question)[1] == "filter[0][0][=DAY][0]=01.01.0001"


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(0, "12:00:00 am"), (1, "01:00:00 am"), (12, "12:00:00 pm"), (23, "11:00:00 pm")],
)
def test_twelve_hours_are_told_apart_by_am_and_pm(hour: int, expected: str) -> None:
    moment = datetime.fromisoformat(f"2025-01-02T{hour:02}:00:00")
    question = Question(groups=((Condition("SCHEDULED", "is", (moment,)),),))

    assert written(question, Dialect("en", maps=False))[1].endswith(f"=01/02/2025 {expected}")


def test_an_empty_request_sends_the_table_alone() -> None:
    assert DataRequest("flights").lines() == ["table=flights"]
