"""Filters, against what plain Python finds in the same file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import bi_mcp.sample
from tests.sample.calls import error, rows

pytestmark = pytest.mark.anyio

Flight = dict[str, str]

with (Path(bi_mcp.sample.__file__).parent / "data" / "flights.csv").open(encoding="utf-8") as file:
    FLIGHTS: list[Flight] = list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text or "nan")


CASES: list[tuple[str, dict[str, str | list[str]], Callable[[Flight], bool]]] = [
    ("equal by default", {"filter[origin]": "LGA"}, lambda f: f["origin"] == "LGA"),
    ("=", {"filter[=origin]": "LGA"}, lambda f: f["origin"] == "LGA"),
    ("= on a number", {"filter[=distance]": "1400"}, lambda f: f["distance"] == "1400"),
    ("!=", {"filter[!=origin]": "LGA"}, lambda f: f["origin"] != "LGA"),
    ("!", {"filter[!origin]": "LGA"}, lambda f: f["origin"] != "LGA"),
    ("!= keeps missing values", {"filter[!=departure_delay]": "0"}, lambda f: f["departure_delay"] != "0"),
    (">=", {"filter[>=departure_delay]": "30"}, lambda f: number(f["departure_delay"]) >= 30),
    (">", {"filter[>departure_delay]": "30"}, lambda f: number(f["departure_delay"]) > 30),
    ("<=", {"filter[<=departure_delay]": "-9"}, lambda f: number(f["departure_delay"]) <= -9),
    ("<", {"filter[<departure_delay]": "-9"}, lambda f: number(f["departure_delay"]) < -9),
    ("numbers are no text", {"filter[<distance]": "1000"}, lambda f: number(f["distance"]) < 1000),
    ("a fraction", {"filter[>temperature]": "3.85"}, lambda f: number(f["temperature"]) > 3.85),
    ("a fraction on an int", {"filter[>air_time]": "400.5"}, lambda f: number(f["air_time"]) > 400.5),
    ("dates", {"filter[>flight_date]": "2013-01-02"}, lambda f: f["flight_date"] > "2013-01-02"),
    (
        "midnight is its date",
        {"filter[flight_date]": "2013-01-02 00:00:00"},
        lambda f: f["flight_date"] == "2013-01-02",
    ),
    (
        "datetimes",
        {"filter[>=scheduled_departure]": "2013-01-02T12:00:00"},
        lambda f: f["scheduled_departure"] >= "2013-01-02 12:00:00",
    ),
    (
        "a date is its midnight",
        {"filter[<actual_departure]": "2013-01-02"},
        lambda f: "" < f["actual_departure"] < "2013-01-02 00:00:00",
    ),
    ("@", {"filter[@carrier][]": ["UA", "AA"]}, lambda f: f["carrier"] in {"UA", "AA"}),
    ("@ of one", {"filter[@carrier]": "UA"}, lambda f: f["carrier"] == "UA"),
    (
        "@ of numbers",
        {"filter[@distance][0]": "1400", "filter[@distance][1]": "1416"},
        lambda f: f["distance"] in {"1400", "1416"},
    ),
    ("= with a list", {"filter[carrier][]": ["UA", "AA"]}, lambda f: f["carrier"] in {"UA", "AA"}),
    ("!@", {"filter[!@carrier][]": ["UA", "AA"]}, lambda f: f["carrier"] not in {"UA", "AA"}),
    (
        "!@ keeps missing values",
        {"filter[!@departure_delay][]": ["0"]},
        lambda f: f["departure_delay"] != "0",
    ),
    ("%", {"filter[%tail_number]": "3e"}, lambda f: "3E" in f["tail_number"]),
    ("=% begins", {"filter[=%tail_number]": "n3%"}, lambda f: f["tail_number"].startswith("N3")),
    ("%= ends", {"filter[%=tail_number]": "%AA"}, lambda f: f["tail_number"].endswith("AA")),
    (
        "=% both ends",
        {"filter[=%tail_number]": "N%JB"},
        lambda f: f["tail_number"][:1] == "N" and f["tail_number"].endswith("JB"),
    ),
    ("an underscore is itself", {"filter[=%tail_number]": "N_%"}, lambda _: False),
    ("missing", {"filter[actual_departure]": ""}, lambda f: not f["actual_departure"]),
    ("not missing", {"filter[!actual_departure]": ""}, lambda f: bool(f["actual_departure"])),
    (
        "conditions add up",
        {"filter[origin]": "JFK", "filter[>departure_delay]": "60", "filter[logic]": "and"},
        lambda f: f["origin"] == "JFK" and number(f["departure_delay"]) > 60,
    ),
    (
        "logic OR",
        {"filter[logic]": "OR", "filter[origin]": "JFK", "filter[carrier]": "UA"},
        lambda f: f["origin"] == "JFK" or f["carrier"] == "UA",
    ),
    (
        "groups nest",
        {
            "filter[origin]": "JFK",
            "filter[0][logic]": "OR",
            "filter[0][>departure_delay]": "120",
            "filter[0][0][carrier]": "B6",
            "filter[0][0][=destination]": "BUF",
        },
        lambda f: (
            f["origin"] == "JFK"
            and (number(f["departure_delay"]) > 120 or (f["carrier"] == "B6" and f["destination"] == "BUF"))
        ),
    ),
    ("an empty group", {"filter[0][logic]": "OR"}, lambda _: True),
]


@pytest.mark.parametrize(("form", "keeps"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_filter_keeps_the_rows_it_describes(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]], keeps: Callable[[Flight], bool]
) -> None:
    columns = ["scheduled_departure", "carrier", "flight_number"]
    found = await rows(demo, "flights", {**form, "select[]": columns})

    assert [[row[0], row[1], str(row[2])] for row in found] == [
        [flight[column] for column in columns] for flight in FLIGHTS if keeps(flight)
    ]


def test_every_case_but_the_trivial_ones_tells_rows_apart() -> None:
    counts = {name: sum(map(keeps, FLIGHTS)) for name, _, keeps in CASES}

    assert {name for name, count in counts.items() if count in {0, len(FLIGHTS)}} == {
        "an underscore is itself",
        "an empty group",
    }


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"filter[gate]": "1"}, "The filter names 'gate', and the table has no such column."),
        ({"filter[~carrier]": "UA"}, "The filter names '~carrier', and the table has no such column."),
        ({"filter[>distance]": "far"}, "Column 'distance' is of type int, which 'far' is not."),
        ({"filter[>distance]": "inf"}, "Column 'distance' is of type int, which 'inf' is not."),
        ({"filter[>distance]": ""}, "Column 'distance' is of type int, which '' is not."),
        (
            {"filter[flight_date]": "2013-02-30"},
            "Column 'flight_date' is of type date, which '2013-02-30' is not.",
        ),
        (
            {"filter[>scheduled_departure]": "noon"},
            "Column 'scheduled_departure' is of type datetime, which 'noon' is not.",
        ),
        (
            {"filter[>distance][]": ["1", "2"]},
            "The operator > of column 'distance' takes one value, not a list.",
        ),
        (
            {"filter[@carrier][0][x]": "UA"},
            "The list for column 'carrier' holds something that is not a value.",
        ),
        ({"filter[logic]": "XOR", "filter[carrier]": "UA"}, "The filter's logic must be AND or OR."),
        (
            {"filter" + "[0]" * 30 + "[carrier]": "UA"},
            "Parameters may nest 20 levels deep, and 'filter' nests deeper.",
        ),
        (
            {f"filter[{index}][carrier]": "UA" for index in range(201)},
            "The filter holds more than 200 conditions.",
        ),
    ],
)
async def test_a_wrong_filter_is_refused_in_one_sentence(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]], sentence: str
) -> None:
    assert await error(demo, "/data", {"table": "flights", **form}) == (400, sentence)


async def test_two_hundred_conditions_and_twenty_thousand_list_values_still_work(
    demo: httpx.AsyncClient,
) -> None:
    many: dict[str, str | list[str]] = {f"filter[{index}][carrier]": "UA" for index in range(199)}
    many["filter[@distance][]"] = [str(miles) for miles in range(20_000)]

    assert len(await rows(demo, "flights", many)) == sum(flight["carrier"] == "UA" for flight in FLIGHTS)


@pytest.mark.parametrize(
    "form",
    [
        {'filter[carrier" = "carrier]': "UA"},
        {"filter[carrier) OR (1=1]": "UA"},
        {"filter[=1 OR 1]": "1"},
        {"select[]": ['carrier" FROM flights; DROP TABLE flights; --']},
        {"select[]": ["(SELECT name FROM sqlite_master)"]},
    ],
)
async def test_sql_in_a_column_name_is_only_an_unknown_column(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]]
) -> None:
    status, sentence = await error(demo, "/data", {"table": "flights", **form})

    assert status == 400
    assert "column" in sentence
    assert len(await rows(demo, "flights")) == len(FLIGHTS)


@pytest.mark.parametrize("operator", ["", "=", "@", "%", "=%", ">"])
async def test_sql_in_a_value_is_only_text(demo: httpx.AsyncClient, operator: str) -> None:
    text = "~' OR '1'='1"

    assert await rows(demo, "flights", {f"filter[{operator}carrier]": text}) == []


async def test_sql_in_a_table_name_is_only_an_unknown_table(demo: httpx.AsyncClient) -> None:
    assert (await error(demo, "/data", {"table": 'flights" UNION SELECT 1 --'}))[0] == 404
    assert (await error(demo, "/data", {"table": "sqlite_master"}))[0] == 404
