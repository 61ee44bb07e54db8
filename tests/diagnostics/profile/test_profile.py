"""The profile of a dataset: what is counted of each type, and that any answer is counted within bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi_mcp.base.language import speaking
from bi_mcp.diagnostics.profile.counting import MOST_COLUMNS, MOST_ROWS, SHOWN_ROWS, build_profile
from bi_mcp.diagnostics.profile.histogram import MOST_BARS, count_numbers, count_times
from bi_mcp.diagnostics.profile.number_text import write_number, write_share
from bi_mcp.diagnostics.profile.profile import DatasetProfile
from bi_mcp.diagnostics.profile.profile_svg import render_svg
from bi_mcp.diagnostics.profile.profile_text import render_text
from bi_mcp.diagnostics.tables.values import COLUMN_TYPES
from bi_mcp.endpoints.question import DatasetColumn

DAYS = [f"2013-01-{day:02}" for day in range(1, 11)]


def profiled(
    *columns: tuple[str, str, Sequence[object]], complete: bool = True, left_out: int = 0
) -> DatasetProfile:
    """The profile of columns of a name, a type and values."""
    names = [DatasetColumn(name, name.lower(), type_) for name, type_, _ in columns]
    rows = [list(row) for row in zip(*(values for _, _, values in columns), strict=True)]
    return build_profile(
        7, "flights", names, [column.name for column in names], rows, complete=complete, left_out=left_out
    )


def test_each_column_tells_what_is_empty_unfit_distinct_least_and_greatest() -> None:
    profile = profiled(
        ("DAY", "date", ["2013-01-02", "2013-01-01", None, "2013-01-31"]),
        ("DELAY", "double", [1.5, "n/a", "", "20"]),
        ("CARRIER", "string", ["UA", "AA", "UA", True]),
        ("NOTHING", "money", [None, None, "", " "]),
    )
    day, delay, carrier, nothing = profile.columns
    assert (day.empty, day.unfit, day.distinct, day.least, day.greatest) == (
        1,
        0,
        3,
        "2013-01-01",
        "2013-01-31",
    )
    assert (delay.empty, delay.unfit, delay.distinct, delay.least, delay.greatest) == (1, 1, 2, 1.5, 20)
    assert [(each.value, each.count) for each in carrier.common or []] == [("UA", 2), ("AA", 1), ("true", 1)]
    assert (nothing.empty, nothing.distinct, nothing.least, nothing.histogram) == (4, 0, None, None)


def test_a_column_that_the_header_lacks_is_missing_and_not_empty() -> None:
    columns = [DatasetColumn("PRICE", "price", "double"), DatasetColumn("NOTE", "note")]
    profile = build_profile(1, "orders", columns, ["NOTE"], [["a"], []], complete=True)
    assert [(column.missing, column.empty) for column in profile.columns] == [(True, 2), (None, 1)]
    assert "PRICE (double): missing in the connector's answer" in render_text(profile).splitlines()


def test_numbers_spread_over_round_bars() -> None:
    spread = count_numbers([0, 3, 9, 10, 19, 99, 100])
    assert spread is not None
    assert (spread.step, spread.starts[:3], spread.counts[:3]) == (5, [0, 5, 10], [2, 1, 1])
    assert spread.starts[-1] == 100
    assert sum(spread.counts) == 7


def test_values_on_edges_that_no_double_holds_stay_in_their_bars() -> None:
    spread = count_numbers([0.1, 0.2, 0.3, 0.6, 0.7, 2])
    assert spread is not None
    assert (spread.step, spread.starts[:8]) == (0.1, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert spread.counts[:8] == [1, 1, 1, 0, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("span", "step", "first"),
    [
        (timedelta(seconds=20), "second", "2013-05-06 07:08:09"),
        (timedelta(hours=20), "hour", "2013-05-06 07:00"),
        (timedelta(days=30), "day", "2013-05-06"),
        (timedelta(days=100), "week", "2013-05-06"),
        (timedelta(days=800), "month", "2013-05"),
        (timedelta(days=2500), "quarter", "2013-04"),
        (timedelta(days=9000), "year", "2013"),
    ],
)
def test_moments_spread_over_bars_of_the_calendar(span: timedelta, step: str, first: str) -> None:
    begin = datetime.fromisoformat("2013-05-06 07:08:09")
    spread = count_times([begin, begin + span], days=False)
    assert spread is not None
    assert (spread.step, spread.starts[0], sum(spread.counts)) == (step, first, 2)
    assert len(spread.starts) <= MOST_BARS


def test_days_are_never_cut_into_hours() -> None:
    spread = count_times([datetime.fromisoformat(day) for day in DAYS[:2]], days=True)
    assert spread is not None
    assert (spread.step, spread.counts) == ("day", [1, 1])


def test_the_first_chart_adds_a_measure_up_over_time() -> None:
    chart = profiled(
        ("ORDER_ID", "int", list(range(10))),
        ("DAY", "date", DAYS),
        ("AMOUNT", "money", [0.1, *[0.2] * 8, None]),
    ).chart
    assert chart is not None
    assert (chart.kind, chart.measure, chart.step) == ("time", "AMOUNT", "day")
    assert chart.values == [0.1, *[0.2] * 8, 0]
    assert chart.title() == "Sum of AMOUNT per day (DAY)"


def test_without_a_measure_the_first_chart_counts_the_commonest_values() -> None:
    chart = profiled(("ID", "int", [1, 2, 3]), ("CARRIER", "string", ["UA", "AA", "UA"])).chart
    assert chart is not None
    assert (chart.kind, chart.labels, chart.values) == ("values", ["UA", "AA"], [2, 1])
    assert chart.title() == "Rows by CARRIER"


def test_with_nothing_but_days_the_first_chart_counts_rows() -> None:
    chart = profiled(("DAY", "date", DAYS)).chart
    assert chart is not None
    assert (chart.values, chart.title()) == ([1] * 10, "Rows per day (DAY)")


def test_where_no_column_has_two_values_there_is_no_chart() -> None:
    assert profiled(("DAY", "date", ["2013-01-01"] * 3), ("NAME", "string", ["a", "b", "c"])).chart is None


def test_what_was_counted_is_said() -> None:
    rows = ["x"] * 1200
    assert profiled(("A", "string", rows[:3])).scope() == "Counted from all 3 rows."
    assert profiled(("A", "string", rows[:1])).scope() == "Counted from 1 row, all there is."
    some = profiled(("A", "string", rows))
    assert (some.counted, some.complete) == (MOST_ROWS, False)
    assert some.scope() == "Counted from the first 1,000 rows; there may be more."


def test_the_text_holds_a_line_per_column_the_chart_and_the_first_rows() -> None:
    text = render_text(
        profiled(("DAY", "date", DAYS), ("DELAY", "double", [1234.6, *range(9)]), left_out=1200)
    ).splitlines()
    assert text[0] == "Counted from all 10 rows."
    assert (
        text[2]
        == "DAY (date): 0% empty; 10 distinct; 2013-01-01 … 2013-01-10; per day 2013-01-01 ██████████ 2013-01-10"
    )
    assert text[3].startswith("DELAY (double): 0% empty; 10 distinct; 0 … 1,235; by 100 0 █")
    assert "1,200 more columns are not shown." in text
    assert "First chart: Sum of DELAY per day (DAY)" in text
    assert text[-SHOWN_ROWS - 1] == "| DAY | DELAY"
    assert text[-SHOWN_ROWS] == "| 2013-01-01 | 1234.6"


def test_numbers_are_written_in_the_language_of_the_reader() -> None:
    assert [write_number(number) for number in (1234567, 0.0, 1234.66, 0.123456, -3.5, 1e20)] == [
        "1,234,567", "0", "1,235", "0.1235", "-3.5", "1e+20",
    ]  # fmt: skip
    assert [write_share(*of) for of in ((0, 9), (9, 9), (1, 1000), (999, 1000), (1, 3))] == [
        "0%", "100%", "<1%", ">99%", "33%",
    ]  # fmt: skip
    with speaking("ru"):
        assert write_number(1234567) == "1\u00a0234\u00a0567"
        assert write_number(3.5) == "3,5"


def test_a_line_break_in_a_value_does_not_make_a_line() -> None:
    text = render_text(profiled(("A\nB", "string", ["x\ny | z", "x\ny | z", "b"])))
    assert "x·y ¦ z" in text
    assert not any(line.startswith("y") for line in text.splitlines())


texts = st.text() | st.sampled_from(
    ["NaN", "-inf", "1e400", "9" * 5000, "0001-01-01", "9999-12-31", "\u202e"]
)
days = st.dates().map(date.isoformat)
moments = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat(" "))
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**4000), 10**4000), st.floats(), days, moments, texts,
    st.lists(st.integers(), max_size=2), st.floats().map(str), st.integers().map(str),
)  # fmt: skip


@settings(deadline=None)
@given(
    types=st.lists(st.sampled_from([*COLUMN_TYPES, "unknown"]), min_size=1, max_size=5),
    rows=st.lists(st.lists(values, max_size=6), max_size=30),
)
def test_any_answer_has_a_profile_that_adds_up_and_can_be_drawn(
    types: list[str], rows: list[list[object]]
) -> None:
    columns = [DatasetColumn(f"C{number}", f"c{number}", type_) for number, type_ in enumerate(types)]
    profile = build_profile(1, "any", columns, [column.name for column in columns], rows, complete=True)
    for column in profile.columns:
        counted = profile.counted - column.empty - column.unfit
        assert 0 <= column.distinct <= counted
        assert counted >= 0
        if column.histogram:
            assert sum(column.histogram.counts) == counted
            assert len(column.histogram.counts) == len(column.histogram.starts) <= MOST_BARS
        assert sum(each.count for each in column.common or []) <= counted
    if profile.chart:
        assert all(math.isfinite(value) for value in profile.chart.values)
        assert len(profile.chart.values) == len(profile.chart.labels)
    # JSON of the standard has neither NaN nor infinities.
    json.dumps(profile.model_dump(mode="json"), allow_nan=False).encode()
    render_text(profile).encode()
    render_svg(profile).encode()


def test_thousands_of_columns_have_a_bounded_profile() -> None:
    columns = [DatasetColumn(f"COLUMN_{number}", f"c{number}") for number in range(5000)]
    rows = [[f"{'long ' * 100}{number % 7}"] * 5000 for number in range(20)]
    profile = build_profile(1, "wide", columns, [column.name for column in columns], rows, complete=True)
    assert (len(profile.columns), profile.left_out) == (MOST_COLUMNS, 5000 - MOST_COLUMNS)
    assert len(profile.model_dump_json()) < 60_000
    assert len(render_text(profile)) < 60_000
