"""Every shape in which Bitrix24 asks for rows, written by hand, with the rows that plain Python finds in the same data."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import bi_mcp.practice.sample

Name: TypeAlias = Callable[[str], str]
Value: TypeAlias = "int | float | str"
Row: TypeAlias = "Mapping[str, Value | None]"

TYPES: Mapping[str, str] = {
    "FLIGHT_DATE": "date",
    "SCHEDULED_DEPARTURE": "datetime",
    "ACTUAL_DEPARTURE": "datetime",
    "CARRIER": "string",
    "FLIGHT_NUMBER": "int",
    "TAIL_NUMBER": "string",
    "ORIGIN": "string",
    "DESTINATION": "string",
    "DEPARTURE_DELAY": "int",
    "ARRIVAL_DELAY": "int",
    "AIR_TIME": "int",
    "DISTANCE": "int",
    "TEMPERATURE": "double",
}
# Together they tell the flights apart.
KEY = ("SCHEDULED_DEPARTURE", "CARRIER", "FLIGHT_NUMBER")


def _parse_value(column: str, text: str) -> Value | None:
    if not text:
        return None
    match TYPES[column]:
        case "int":
            return int(text)
        case "double":
            return float(text)
    return text


with (Path(bi_mcp.practice.sample.__file__).parent / "data" / "flights.csv").open(encoding="utf-8") as file:
    FLIGHTS: list[Row] = [
        {column: _parse_value(column, text) for column, text in row.items()} for row in csv.DictReader(file)
    ]

# A date and a date-time as the portals of a culture write them.
CULTURES: Mapping[str, tuple[str, str]] = {
    "iso": ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"),
    "ru": ("%d.%m.%Y", "%d.%m.%Y %H:%M:%S"),
    "en": ("%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p"),
    "en-gb": ("%d/%m/%Y", "%d/%m/%Y %H:%M:%S"),
}
GENERATIONS: Mapping[str, Name] = {"classic": lambda code: code, "tables": lambda code: f"MY_{code}"}

Test: TypeAlias = Callable[[Value, list[Value]], bool]
TESTS: Mapping[str, Test] = {
    "=": lambda value, given: value in given,
    ">": lambda value, given: any(value > one for one in given),  # type: ignore[operator]  # of one type
    ">=": lambda value, given: any(value >= one for one in given),  # type: ignore[operator]
    "<": lambda value, given: any(value < one for one in given),  # type: ignore[operator]
    "<=": lambda value, given: any(value <= one for one in given),  # type: ignore[operator]
    "><": lambda value, given: given[0] <= value <= given[1],  # type: ignore[operator]
    "%": lambda value, given: any(str(one).lower() in str(value).lower() for one in given),
}
# Two values of a column of each type; there are rows between them, outside, and on each but one. Four columns have gaps.
GIVEN: Mapping[str, tuple[Value, Value]] = {
    "CARRIER": ("B6", "UA"),
    "TAIL_NUMBER": ("N14228", "N3"),
    "DEPARTURE_DELAY": (0, 30),
    "TEMPERATURE": (-2.2, 3.9),
    "FLIGHT_DATE": ("2013-01-02", "2013-01-03"),
    "ACTUAL_DEPARTURE": ("2013-01-02 05:58:00", "2013-01-02 21:15:00"),
}


@dataclass(frozen=True)
class Shape:
    """One request for flights. `form` writes its parameters under the names of a dataset's columns."""

    name: str
    form: Callable[[Name], dict[str, str]]
    keeps: Callable[[Row], bool]
    culture: str = "iso"

    def answer(self) -> list[list[Value | None]]:
        """The header, which is codes in both generations, and the rows."""
        return [[*KEY], *self.rows()]

    def rows(self) -> list[list[Value | None]]:
        return [[flight[column] for column in KEY] for flight in FLIGHTS if self.keeps(flight)]


def request_form(shape: Shape, generation: str) -> dict[str, str]:
    """The whole request but for the connection, as a portal of this generation sends it."""
    name = GENERATIONS[generation]
    form = {"table": "flights", **shape.form(name)}
    form |= {f"select[{number}]": name(code) for number, code in enumerate(KEY)}
    return form | ({f"mapFields[{code}]": name(code) for code in TYPES} if generation == "tables" else {})


def format_value(value: Value, column: str, culture: str) -> str:
    """A value as a portal of this culture writes it into a filter."""
    short, long = CULTURES[culture]
    match TYPES[column]:
        case "date":
            return datetime.fromisoformat(str(value)).strftime(short)
        case "datetime":
            return datetime.fromisoformat(str(value)).strftime(long).replace("AM", "am").replace("PM", "pm")
    return str(value)


def _condition(operator: str, column: str, given: list[Value], negated: bool, culture: str) -> Shape:
    prefix = f"!{operator}" if negated else operator

    def form(name: Name) -> dict[str, str]:
        values = [format_value(value, column, culture) for value in given]
        key = f"filter[0][0][{prefix}{name(column)}]"
        return {"filter[0][LOGIC]": "OR"} | {f"{key}[{number}]": value for number, value in enumerate(values)}

    def keeps(row: Row) -> bool:
        value = row[column]
        return (value is not None and TESTS[operator](value, given)) is not negated

    return Shape(f"{prefix} {column} {len(given)} {culture}", form, keeps, culture)


def _conditions() -> Iterator[Shape]:
    for column, operator, negated in itertools.product(GIVEN, TESTS, (False, True)):
        is_date = TYPES[column] in {"date", "datetime"}
        if operator == "%" and is_date:
            continue
        for culture in CULTURES if is_date else ("iso",):
            for count in (2,) if operator == "><" or culture != "iso" else (1, 2):
                yield _condition(operator, column, [*GIVEN[column][:count]], negated, culture)


def _range(column: str, culture: str) -> Shape:
    """A date range as BI Builder asks for it: the second value has a time, on columns of dates, too."""
    short, long = CULTURES[culture]
    begin, end = datetime(2013, 1, 2), datetime(2013, 1, 2, 23, 59, 59)  # noqa: DTZ001  wall clock, as in the data

    def form(name: Name) -> dict[str, str]:
        return {
            f"filter[>={name(column)}]": begin.strftime(short),
            f"filter[<={name(column)}]": end.strftime(long),
        }

    return Shape(
        f"a range of {column} {culture}", form, lambda row: str(row[column])[:10] == "2013-01-02", culture
    )


def _request(name: str, pairs: Mapping[str, str], keeps: Callable[[Row], bool]) -> Shape:
    """A request whose keys are written out; `{CARRIER}` stands for the name of that column."""

    def form(naming: Name) -> dict[str, str]:
        names = {code: naming(code) for code in TYPES}
        return {key.format_map(names): value for key, value in pairs.items()}

    return Shape(name, form, keeps)


def _number(value: Value | None) -> float:
    return float("nan") if value is None else float(value)


_CANCELLED = 22
_FIXED = [
    _request("no filter", {}, lambda _: True),
    _request("a plain key", {"filter[{CARRIER}]": "UA"}, lambda row: row["CARRIER"] == "UA"),
    _request("a plain =", {"filter[={CARRIER}]": "UA"}, lambda row: row["CARRIER"] == "UA"),
    _request("a plain !", {"filter[!{CARRIER}]": "UA"}, lambda row: row["CARRIER"] != "UA"),
    _request("a plain %", {"filter[%{CARRIER}]": "a"}, lambda row: "A" in str(row["CARRIER"])),
    _request(
        "a plain list",
        {"filter[={CARRIER}][0]": "UA", "filter[={CARRIER}][1]": "AA"},
        lambda row: row["CARRIER"] in {"UA", "AA"},
    ),
    _request(
        "a plain 0 is a number",
        {"filter[{DEPARTURE_DELAY}]": "0"},
        lambda row: row["DEPARTURE_DELAY"] == 0,
    ),
    _request(
        "a list of 0 in a group is a number",
        {"filter[0][0][={DEPARTURE_DELAY}][0]": "0"},
        lambda row: row["DEPARTURE_DELAY"] == 0,
    ),
    *(
        _request(
            f"{prefix}empty by {value!r} {column}",
            {"filter[0][LOGIC]": "OR", f"filter[0][0][{prefix}={{{column}}}]": value},
            lambda row, column=column, prefix=prefix: (row[column] is None) is not bool(prefix),  # type: ignore[misc]
        )
        for prefix in ("", "!")
        for value in ("", "0")
        for column in ("ACTUAL_DEPARTURE", "DEPARTURE_DELAY", "TAIL_NUMBER", "TEMPERATURE")
    ),
    _request(
        "groups are joined by AND, their members by OR",
        {
            "filter[0][LOGIC]": "OR",
            "filter[0][0][={CARRIER}][0]": "UA",
            "filter[0][1][>{DEPARTURE_DELAY}][0]": "120",
            "filter[1][LOGIC]": "OR",
            "filter[1][0][={ORIGIN}][0]": "EWR",
        },
        lambda row: (
            (row["CARRIER"] == "UA" or _number(row["DEPARTURE_DELAY"]) > 120) and row["ORIGIN"] == "EWR"
        ),
    ),
    _request(
        "logic in small letters, and deep",
        {
            "filter[0][logic]": "or",
            "filter[0][0][Logic]": "And",
            "filter[0][0][0][={CARRIER}][0]": "B6",
            "filter[0][0][1][={DESTINATION}][0]": "BUF",
            "filter[0][1][>{DEPARTURE_DELAY}][0]": "200",
        },
        lambda row: (
            (row["CARRIER"] == "B6" and row["DESTINATION"] == "BUF") or _number(row["DEPARTURE_DELAY"]) > 200
        ),
    ),
    _request(
        "a range next to a group",
        {
            "filter[>={FLIGHT_DATE}]": "2013-01-02",
            "filter[<={FLIGHT_DATE}]": "2013-01-02 23:59:59",
            "filter[0][LOGIC]": "OR",
            "filter[0][0][!={CARRIER}][0]": "UA",
        },
        lambda row: row["FLIGHT_DATE"] == "2013-01-02" and row["CARRIER"] != "UA",
    ),
    _request(
        "ten thousand values",
        {f"filter[0][0][={{DISTANCE}}][{miles}]": str(miles) for miles in range(10_000) if miles != 1400},
        lambda row: row["DISTANCE"] != 1400,
    ),
    _request(
        "the values of a range in their numbered order",
        {"filter[0][0][><{DISTANCE}][1]": "1000", "filter[0][0][><{DISTANCE}][0]": "500"},
        lambda row: 500 <= _number(row["DISTANCE"]) <= 1000,
    ),
    _request("a value with %", {"filter[0][0][%{TAIL_NUMBER}][0]": "N%"}, lambda _: False),
    *(
        _request(
            f"contains {text} {column}",
            {f"filter[0][0][%{{{column}}}][0]": text},
            lambda row, column=column, part=part: part in str(row[column]),  # type: ignore[misc]
        )
        for column, text, part in (
            ("FLIGHT_DATE", "02.01.2013", "2013-01-02"),
            ("ACTUAL_DEPARTURE", "02.01.2013", "2013-01-02"),
            ("ACTUAL_DEPARTURE", "02.01.2013 05:58:00", "2013-01-02 05:58:00"),
            ("DISTANCE", "40", "40"),
            ("TEMPERATURE", ".9", ".9"),
        )
    ),
    _request("a huge number", {"filter[<{DISTANCE}]": "9" * 300}, lambda row: row["DISTANCE"] is not None),
    _request("a fraction of an int", {"filter[>{DISTANCE}]": "999.5"}, lambda row: _number(row["DISTANCE"]) > 999.5),
]  # fmt: skip

SHAPES: list[Shape] = [
    *_conditions(),
    *(
        _range(column, culture)
        for column in ("FLIGHT_DATE", "SCHEDULED_DEPARTURE", "ACTUAL_DEPARTURE")
        for culture in CULTURES
    ),
    *_FIXED,
]
