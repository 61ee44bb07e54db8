"""Filters, against what plain Python finds in the same file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import bi_mcp.practice.sample
from tests.practice.sample.calls import Form, error, rows

pytestmark = pytest.mark.anyio

Flight = dict[str, str]

with (Path(bi_mcp.practice.sample.__file__).parent / "data" / "flights.csv").open(encoding="utf-8") as file:
    FLIGHTS: list[Flight] = list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text or "nan")


CASES: list[tuple[str, dict[str, str | list[str]], Callable[[Flight], bool]]] = [
    ("equal by default", {"filter[ORIGIN]": "LGA"}, lambda f: f["ORIGIN"] == "LGA"),
    ("=", {"filter[=ORIGIN]": "LGA"}, lambda f: f["ORIGIN"] == "LGA"),
    ("= on a number", {"filter[=DISTANCE]": "1400"}, lambda f: f["DISTANCE"] == "1400"),
    ("!=", {"filter[!=ORIGIN]": "LGA"}, lambda f: f["ORIGIN"] != "LGA"),
    ("!", {"filter[!ORIGIN]": "LGA"}, lambda f: f["ORIGIN"] != "LGA"),
    ("!= keeps missing values", {"filter[!=DEPARTURE_DELAY]": "0"}, lambda f: f["DEPARTURE_DELAY"] != "0"),
    (">=", {"filter[>=DEPARTURE_DELAY]": "30"}, lambda f: number(f["DEPARTURE_DELAY"]) >= 30),
    (">", {"filter[>DEPARTURE_DELAY]": "30"}, lambda f: number(f["DEPARTURE_DELAY"]) > 30),
    ("<=", {"filter[<=DEPARTURE_DELAY]": "-9"}, lambda f: number(f["DEPARTURE_DELAY"]) <= -9),
    ("<", {"filter[<DEPARTURE_DELAY]": "-9"}, lambda f: number(f["DEPARTURE_DELAY"]) < -9),
    ("numbers are no text", {"filter[<DISTANCE]": "1000"}, lambda f: number(f["DISTANCE"]) < 1000),
    ("a fraction", {"filter[>TEMPERATURE]": "3.85"}, lambda f: number(f["TEMPERATURE"]) > 3.85),
    ("a fraction on an int", {"filter[>AIR_TIME]": "400.5"}, lambda f: number(f["AIR_TIME"]) > 400.5),
    ("dates", {"filter[>FLIGHT_DATE]": "2013-01-02"}, lambda f: f["FLIGHT_DATE"] > "2013-01-02"),
    (
        "midnight is its date",
        {"filter[FLIGHT_DATE]": "2013-01-02 00:00:00"},
        lambda f: f["FLIGHT_DATE"] == "2013-01-02",
    ),
    (
        "datetimes",
        {"filter[>=SCHEDULED_DEPARTURE]": "2013-01-02T12:00:00"},
        lambda f: f["SCHEDULED_DEPARTURE"] >= "2013-01-02 12:00:00",
    ),
    (
        "a date is its midnight",
        {"filter[<ACTUAL_DEPARTURE]": "2013-01-02"},
        lambda f: "" < f["ACTUAL_DEPARTURE"] < "2013-01-02 00:00:00",
    ),
    ("@", {"filter[@CARRIER][]": ["UA", "AA"]}, lambda f: f["CARRIER"] in {"UA", "AA"}),
    ("@ of one", {"filter[@CARRIER]": "UA"}, lambda f: f["CARRIER"] == "UA"),
    (
        "@ of numbers",
        {"filter[@DISTANCE][0]": "1400", "filter[@DISTANCE][1]": "1416"},
        lambda f: f["DISTANCE"] in {"1400", "1416"},
    ),
    ("= with a list", {"filter[CARRIER][]": ["UA", "AA"]}, lambda f: f["CARRIER"] in {"UA", "AA"}),
    ("!@", {"filter[!@CARRIER][]": ["UA", "AA"]}, lambda f: f["CARRIER"] not in {"UA", "AA"}),
    (
        "!@ keeps missing values",
        {"filter[!@DEPARTURE_DELAY][]": ["0"]},
        lambda f: f["DEPARTURE_DELAY"] != "0",
    ),
    ("%", {"filter[%TAIL_NUMBER]": "3e"}, lambda f: "3E" in f["TAIL_NUMBER"]),
    ("=% begins", {"filter[=%TAIL_NUMBER]": "n3%"}, lambda f: f["TAIL_NUMBER"].startswith("N3")),
    ("%= ends", {"filter[%=TAIL_NUMBER]": "%AA"}, lambda f: f["TAIL_NUMBER"].endswith("AA")),
    (
        "=% both ends",
        {"filter[=%TAIL_NUMBER]": "N%JB"},
        lambda f: f["TAIL_NUMBER"][:1] == "N" and f["TAIL_NUMBER"].endswith("JB"),
    ),
    ("an underscore is itself", {"filter[=%TAIL_NUMBER]": "N_%"}, lambda _: False),
    ("missing", {"filter[ACTUAL_DEPARTURE]": ""}, lambda f: not f["ACTUAL_DEPARTURE"]),
    ("not missing", {"filter[!ACTUAL_DEPARTURE]": ""}, lambda f: bool(f["ACTUAL_DEPARTURE"])),
    (
        "conditions add up",
        {"filter[ORIGIN]": "JFK", "filter[>DEPARTURE_DELAY]": "60", "filter[logic]": "and"},
        lambda f: f["ORIGIN"] == "JFK" and number(f["DEPARTURE_DELAY"]) > 60,
    ),
    (
        "logic OR",
        {"filter[logic]": "OR", "filter[ORIGIN]": "JFK", "filter[CARRIER]": "UA"},
        lambda f: f["ORIGIN"] == "JFK" or f["CARRIER"] == "UA",
    ),
    (
        "groups nest",
        {
            "filter[ORIGIN]": "JFK",
            "filter[0][logic]": "OR",
            "filter[0][>DEPARTURE_DELAY]": "120",
            "filter[0][0][CARRIER]": "B6",
            "filter[0][0][=DESTINATION]": "BUF",
        },
        lambda f: (
            f["ORIGIN"] == "JFK"
            and (number(f["DEPARTURE_DELAY"]) > 120 or (f["CARRIER"] == "B6" and f["DESTINATION"] == "BUF"))
        ),
    ),
    ("an empty group", {"filter[0][logic]": "OR"}, lambda _: True),
]


@pytest.mark.parametrize(("form", "keeps"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_filter_keeps_the_rows_it_describes(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]], keeps: Callable[[Flight], bool]
) -> None:
    columns = ["SCHEDULED_DEPARTURE", "CARRIER", "FLIGHT_NUMBER"]
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
        ({"filter[~CARRIER]": "UA"}, "The filter names '~CARRIER', and the table has no such column."),
        ({"filter[>DISTANCE]": "far"}, "Column 'DISTANCE' is of type int, which 'far' is not."),
        (
            {"filter[><DISTANCE]": "1"},
            "The operator >< of column 'DISTANCE' takes a list of two values: from and to.",
        ),
        ({"filter[=DISTANCE]": "1_400"}, "Column 'DISTANCE' is of type int, which '1_400' is not."),
        ({"filter[=DISTANCE]": "1e999"}, "Column 'DISTANCE' is of type int, which '1e999' is not."),
        ({"filter[0][0][=DISTANCE][0]": "nan"}, "Column 'DISTANCE' is of type int, which 'nan' is not."),
        (
            {"filter[FLIGHT_DATE]": "31.02.2013"},
            "Column 'FLIGHT_DATE' is of type date, which '31.02.2013' is not.",
        ),
        (
            {"filter[FLIGHT_DATE]": "31.01.2013 24:00:00"},
            "Column 'FLIGHT_DATE' is of type date, which '31.01.2013 24:00:00' is not.",
        ),
        (
            {"filter[@CARRIER][0]": "U\0A"},
            "The list for column 'CARRIER' holds something that is not a value.",
        ),
        ({"filter[>DISTANCE]": "inf"}, "Column 'DISTANCE' is of type int, which 'inf' is not."),
        ({"filter[>DISTANCE]": ""}, "Column 'DISTANCE' is of type int, which '' is not."),
        (
            {"filter[FLIGHT_DATE]": "2013-02-30"},
            "Column 'FLIGHT_DATE' is of type date, which '2013-02-30' is not.",
        ),
        (
            {"filter[>SCHEDULED_DEPARTURE]": "noon"},
            "Column 'SCHEDULED_DEPARTURE' is of type datetime, which 'noon' is not.",
        ),
        (
            {"filter[!><DISTANCE][]": ["1", "2", "3"]},
            "The operator !>< of column 'DISTANCE' takes a list of two values: from and to.",
        ),
        (
            {"filter[@CARRIER][0][x]": "UA"},
            "The list for column 'CARRIER' holds something that is not a value.",
        ),
        ({"filter[logic]": "XOR", "filter[CARRIER]": "UA"}, "The filter's logic must be AND or OR."),
        (
            {"filter" + "[0]" * 30 + "[CARRIER]": "UA"},
            "Parameters may nest 20 levels deep, and 'filter' nests deeper.",
        ),
        (
            {f"filter[{index}][CARRIER]": "UA" for index in range(201)},
            "The filter holds more than 200 conditions.",
        ),
    ],
)
async def test_a_wrong_filter_is_refused_in_one_sentence(
    demo: httpx.AsyncClient, form: dict[str, str | list[str]], sentence: str
) -> None:
    assert await error(demo, "/data", {"table": "flights", **form}) == (400, sentence)


async def test_two_hundred_conditions_still_work(demo: httpx.AsyncClient) -> None:
    many: Form = {f"filter[{index}][CARRIER]": "UA" for index in range(200)}
    assert len(await rows(demo, "flights", many)) == sum(flight["CARRIER"] == "UA" for flight in FLIGHTS)


async def test_five_thousand_list_values_still_work(demo: httpx.AsyncClient) -> None:
    many: Form = {"filter[@DISTANCE][]": [str(miles) for miles in range(5_000)]}
    assert len(await rows(demo, "flights", many)) == len(FLIGHTS)


@pytest.mark.parametrize(
    "form",
    [
        {'filter[CARRIER" = "CARRIER]': "UA"},
        {"filter[CARRIER) OR (1=1]": "UA"},
        {"filter[=1 OR 1]": "1"},
        {"select[]": ['CARRIER" FROM flights; DROP TABLE flights; --']},
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

    assert await rows(demo, "flights", {f"filter[{operator}CARRIER]": text}) == []


async def test_sql_in_a_table_name_is_only_an_unknown_table(demo: httpx.AsyncClient) -> None:
    assert (await error(demo, "/data", {"table": 'flights" UNION SELECT 1 --'}))[0] == 404
    assert (await error(demo, "/data", {"table": "sqlite_master"}))[0] == 404
