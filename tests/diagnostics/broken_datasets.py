"""What breaks a dataset: how its connector, or the dataset itself, differs from a healthy one over the sample. Data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from bi_mcp.diagnostics.findings.finding import Level
from tests.diagnostics.bent_sample import (
    TABLE,
    Bend,
    Question,
    always,
    as_text,
    asking,
    by_turns,
    healthy,
    rewritten,
    valued,
    when,
    with_first,
)
from tests.diagnostics.broken_connectors import given


@dataclass(frozen=True)
class DatasetDefect:
    """One defect that a dataset of the table `flights` suffers from. `where` is how its finding begins to say so.

    `columns` changes the dataset's columns before it is made, `hidden` are the codes hidden afterwards.
    """

    name: str
    bends: Mapping[str, Bend]
    level: Level
    where: str
    words: str
    also: tuple[str, ...] = ()
    columns: Callable[[list[dict[str, str]]], list[dict[str, str]]] | None = None
    hidden: tuple[str, ...] = ()
    mapping: bool = False


def retyped(code: str, type: str) -> Bend:
    return rewritten(
        lambda found: [column | {"type": type} if column["code"] == code else column for column in found]
    )


def has_dotted_date(form: Mapping[str, Any]) -> bool:
    """Return whether a condition holds a date as Russian portals write it."""
    return re.search(r"'\d\d\.\d\d\.\d{4}", str(form.get("filter"))) is not None


def recoded(old: str, new: str) -> Mapping[str, Bend]:
    """A column that has another code in the description and in the data."""

    def rename(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [column | {"code": new} if column["code"] == old else column for column in found]

    async def data(question: Question) -> Response:
        select = list((question.form.get("select") or {}).values())
        if old in select:
            return Response("", 400)
        answer = await question.ask(
            select=[old if code == new else code for code in select] or None, mapFields=None
        )
        rows = answer.json()
        return JSONResponse([[new if code == old else code for code in rows[0]], *rows[1:]])

    return {"urlTableDescription": rewritten(rename), "urlData": data}


async def heading_names(question: Question) -> Response:
    """The sample's rows under the names that mapFields gives."""
    answer = await question.ask()
    names, rows = question.form.get("mapFields") or {}, answer.json()
    return JSONResponse([[names.get(code, code) for code in rows[0]], *rows[1:]])


def typed(code: str, type: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    return lambda columns: [
        column | {"type": type} if column["externalCode"] == code else column for column in columns
    ]


def renamed(columns: list[dict[str, str]]) -> list[dict[str, str]]:
    return [column | {"name": f"MY_{column['name']}"} for column in columns]


def lacking(code: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    return lambda columns: [column for column in columns if column["externalCode"] != code]


def dotted(day: str) -> str:
    return ".".join(reversed(day.split("-")))


def row_by_row(code: str, *changes: Callable[[Any], Any]) -> Bend:
    """The values of a column changed otherwise in each row."""

    def changed(rows: list[list[Any]]) -> list[list[Any]]:
        if code not in rows[0]:
            return rows
        place = rows[0].index(code)
        for number, row in enumerate(rows[1:]):
            row[place] = changes[number % len(changes)](row[place])
        return rows

    return rewritten(changed)


def gone(code: str) -> Mapping[str, Bend]:
    """A column that is neither described nor answered, and refused when selected."""
    return {
        "urlTableDescription": rewritten(
            lambda found: [column for column in found if column["code"] != code]
        ),
        "urlData": when(lambda form: code in (form.get("select") or {}).values(), always("", 400)),
    }


def lost(listed: Bend) -> Mapping[str, Bend]:
    """The dataset's table is answered with 404; what is listed is bent."""
    return {"urlTableList": listed, "urlTableDescription": always("", 404), "urlData": always("", 404)}


def without_table(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [table for table in found if table["code"] != TABLE]


NO_LONGER = "external column is gone"
UNUSABLE = "It gave no usable answer"
TABLE_PLACE = "table"
DATE, MOMENT, CARRIER, NUMBER, TEMPERATURE = (
    "column FLIGHT_DATE",
    "column SCHEDULED_DEPARTURE",
    "column CARRIER",
    "column FLIGHT_NUMBER",
    "column TEMPERATURE",
)
DATASET_DEFECTS = [
    DatasetDefect("a column vanished", gone("CARRIER"), "error", CARRIER, "external column is gone"),
    DatasetDefect(
        "a column appeared", {}, "note", "columns", "that the dataset lacks: 'CARRIER'", columns=lacking("CARRIER")
    ),
    DatasetDefect(
        "a column was renamed", recoded("FLIGHT_NUMBER", "FLIGHT_NUMBERS"), "error", NUMBER, "now called 'FLIGHT_NUMBERS'"
    ),
    DatasetDefect("a code in capitals", recoded("CARRIER", "Carrier"), "error", CARRIER, "codes are case-sensitive"),
    DatasetDefect(
        "a code with a letter that looks the same",
        recoded("CARRIER", "СARRIER"),
        "error",
        CARRIER,
        "letters that only look the same",
    ),
    DatasetDefect("d.m.Y in a date", {"urlData": valued("FLIGHT_DATE", dotted)}, "error", DATE, "d.m.Y"),
    DatasetDefect(
        "a date that does not exist",
        {"urlData": valued("FLIGHT_DATE", lambda _: "2013-02-30")},
        "error",
        DATE,
        '"2013-02-30" in row 1',
    ),
    DatasetDefect(
        "seconds since 1970 in a date", {"urlData": valued("FLIGHT_DATE", lambda _: 1356998400)}, "error", DATE, "Unix time"
    ),
    DatasetDefect(
        "a lost time zone",
        {"urlData": valued("SCHEDULED_DEPARTURE", lambda text: text.replace(" ", "T") + "+03:00")},
        "error",
        MOMENT,
        "the time zone is lost",
    ),
    DatasetDefect(
        "moments without seconds",
        {"urlData": valued("SCHEDULED_DEPARTURE", lambda text: text[:16])},
        "error",
        MOMENT,
        "time without seconds",
    ),
    DatasetDefect(
        "decimal commas",
        {"urlData": valued("TEMPERATURE", lambda number: f"{number:.1f}".replace(".", ","))},
        "error",
        TEMPERATURE,
        "decimal comma",
    ),
    DatasetDefect(
        "thousands apart", {"urlData": valued("TEMPERATURE", lambda _: "1 234.5")}, "error", TEMPERATURE, "spaces between thousands"
    ),
    DatasetDefect(
        "amounts with a currency",
        {"urlData": valued("TEMPERATURE", lambda number: f"{number} ₽")},
        "error",
        TEMPERATURE,
        "amount with a currency",
    ),
    DatasetDefect(
        "money with a currency",
        {"urlTableDescription": retyped("TEMPERATURE", "money"), "urlData": valued("TEMPERATURE", lambda number: f"{number}|RUB")},
        "error",
        TEMPERATURE,
        "are not of the type money",
        columns=typed("TEMPERATURE", "money"),
    ),
    DatasetDefect(
        "numbers over 64 bits", {"urlData": valued("FLIGHT_NUMBER", lambda _: 2**64)}, "error", NUMBER, "number over 64 bits"
    ),
    DatasetDefect("words in numbers", {"urlData": valued("FLIGHT_NUMBER", lambda _: "n/a")}, "error", NUMBER, "are not of the type int"),
    DatasetDefect(
        "some words in numbers",
        {"urlData": valued("FLIGHT_NUMBER", lambda number: "none" if number % 2 else number)},
        "warning",
        NUMBER,
        "Values of mixed kinds: numbers, text",
    ),
    DatasetDefect(
        "numbers among texts",
        {"urlData": valued("CARRIER", lambda text: 7 if text == "UA" else text)},
        "note",
        CARRIER,
        "Values of mixed kinds: numbers, texts",
    ),
    DatasetDefect("an empty column", {"urlData": valued("CARRIER", lambda _: None)}, "note", CARRIER, "Empty in all"),
    DatasetDefect(
        "another type on the portal", {}, "warning", NUMBER, "is double here and int in urlTableDescription",
        columns=typed("FLIGHT_NUMBER", "double"),
    ),
    DatasetDefect(
        "a wrong description", {"urlTableDescription": retyped("CARRIER", "int")}, "warning", CARRIER, "the description is wrong"
    ),
    DatasetDefect(
        "an unknown type", {"urlTableDescription": retyped("CARRIER", "varchar")}, "note", CARRIER, "'varchar'"
    ),
    DatasetDefect("hidden columns", {}, "note", "columns", "Hidden, so charts cannot use them: 'CARRIER'", hidden=("CARRIER",)),
    DatasetDefect(
        "names in the header", {"urlData": heading_names}, "error", "urlData", "With mapFields, the header contains the names",
        columns=renamed,
    ),
    DatasetDefect(
        "columns that are known by their codes only", {"urlData": asking(mapFields=None)}, "error", "urlData",
        "every chart on them stays empty: 'FLIGHT_DATE → MY_FLIGHT_DATE'", columns=renamed,
    ),
    DatasetDefect(
        "a filter that is refused", {"urlData": when(given("filter"), always("", 400))}, "error", "urlData",
        "A chart with a date range gets no data. Sent: filter[>=SCHEDULED_DEPARTURE]=", ('A chart with "is one of" gets no data',),
    ),
    DatasetDefect(
        "dates that are understood in ISO format only", {"urlData": when(has_dotted_date, always("", 400))}, "error", "urlData",
        "Dates in ISO format are understood, those in the portal's own format are not.",
    ),
    DatasetDefect(
        "a filter that is ignored", {"urlData": asking(filter=None)}, "error", "urlData",
        'A chart with "is one of" gets wrong rows. Sent: filter[0][LOGIC]=OR&filter[0][0][=CARRIER][0]=9E',
    ),
    DatasetDefect(
        "a day before 1900", {"urlData": valued("FLIGHT_DATE", lambda _: "0001-01-01")}, "warning", DATE,
        "holds dates at or before 1900-01-01: 200 of 200",
    ),
    DatasetDefect(
        "letters that are lost", {"urlData": valued("CARRIER", lambda value: f"{value}\ufffd")}, "warning", CARRIER,
        "holds the replacement character U+FFFD: 200 of 200",
    ),
    DatasetDefect(
        "columns in another order", {"urlData": asking(select=None)}, "warning", "header of urlData", "a different order",
        columns=lambda columns: list(reversed(columns)),
    ),
    DatasetDefect("no rows", {"urlData": rewritten(lambda rows: rows[:1])}, "note", "urlData", "There are no rows"),
    DatasetDefect(
        "ragged rows",
        {"urlData": rewritten(lambda rows: [rows[0], rows[1][:-1], *rows[2:]])},
        "error",
        "urlData",
        "row 1 has 12",
    ),
    DatasetDefect("no header", {"urlData": rewritten(lambda rows: rows[1:])}, "error", "header of urlData", "none of the table's codes"),
    DatasetDefect(
        "a code twice in the header",
        {"urlData": rewritten(lambda rows: [[*row, row[0]] for row in rows])},
        "error",
        "header of urlData",
        "Codes occur more than once: 'FLIGHT_DATE'",
    ),
    DatasetDefect(
        "codes that look the same",
        {"urlTableDescription": rewritten(lambda found: [*found, found[3] | {"code": "Carrier"}])},
        "warning",
        "urlTableDescription",
        "Codes that are easily confused",
        ("that the dataset lacks: 'Carrier'",),
    ),
    DatasetDefect(
        "a code twice in the description",
        {"urlTableDescription": rewritten(lambda found: [*found, found[3]])},
        "error",
        "urlTableDescription",
        "A code occurs twice: column 14 (CARRIER)",
    ),
    DatasetDefect(
        "a column without a name",
        {"urlTableDescription": with_first(name="")},
        "error",
        "urlTableDescription",
        "A name is empty or missing: column 1",
        # Nobody can tell which column it is.
        (NO_LONGER,),
    ),
    DatasetDefect(
        "a column without a type",
        {"urlTableDescription": with_first(type="")},
        "error",
        "urlTableDescription",
        "A type is empty or missing: column 1",
        (NO_LONGER,),
    ),
    DatasetDefect(
        "rows that are objects",
        {"urlData": rewritten(lambda rows: [rows[0], {"CARRIER": "UA"}, *rows[2:]])},
        "error",
        "urlData",
        "A row is not a JSON array: row 2",
    ),
    DatasetDefect(
        "a header in another order than the rows",
        {"urlData": rewritten(lambda rows: [list(reversed(rows[0])), *rows[1:]])},
        "error",
        "header of urlData",
        "in a different order than the values",
    ),
    DatasetDefect(
        "UTF-8 read as Windows-1251",
        {"urlData": valued("CARRIER", lambda _: "Аэрофлот".encode().decode("cp1251", "replace"))},
        "warning",
        CARRIER,
        "UTF-8 was read as another encoding",
    ),
    DatasetDefect(
        "decimal commas in some rows, and a column that is gone",
        {
            **gone("CARRIER"),
            "urlData": row_by_row("TEMPERATURE", str, lambda value: str(value).replace(".", ",")),
        },
        "warning",
        TEMPERATURE,
        "decimal comma",
        (NO_LONGER,),
    ),
    DatasetDefect(
        "dates in three formats",
        {"urlData": row_by_row("FLIGHT_DATE", str, dotted, lambda day: day.replace("-", "/"))},
        "warning",
        DATE,
        "d.m.Y",
    ),
    DatasetDefect(
        "an endpoint that answers by turns",
        {"urlData": by_turns(always("", 500), healthy)},
        "warning",
        "urlData",
        "answers only sometimes",
    ),
    DatasetDefect(
        "a login page for data",
        {"urlData": always("<!DOCTYPE html><form></form>")},
        "error",
        "urlData",
        "is HTML, not JSON. Its header",
    ),
    DatasetDefect(
        "Windows-1251 in the data",
        {"urlData": as_text(lambda text: text.replace('"UA"', '"ЮА"').encode("cp1251"))},
        "error",
        "urlData",
        "is not UTF-8 text. Its header",
    ),
    DatasetDefect(
        "a refused password",
        {"urlTableDescription": always("", 401), "urlData": always("", 401)},
        "error",
        "urlTableDescription, urlData",
        "answered HTTP 401. It is the same for all of them",
    ),
    DatasetDefect("no description", {"urlTableDescription": always("", 500)}, "error", "urlTableDescription", "answered HTTP 500"),
    DatasetDefect("no data", {"urlData": always("", 500)}, "error", "urlData", "answered HTTP 500"),
    DatasetDefect(
        "another table", {"urlTableDescription": asking(table="airports"), "urlData": asking(table="airports", select=None)},
        "error", "columns", "The external table no longer has any of the 13 columns",
    ),
    DatasetDefect("a table that is gone", lost(rewritten(without_table)), "error", TABLE_PLACE, "no longer lists"),
    DatasetDefect("no tables at all", lost(always([])), "error", TABLE_PLACE, "no longer lists any tables"),
    DatasetDefect(
        "a table that is described as empty",
        {
            "urlTableList": rewritten(without_table),
            "urlTableDescription": always([]),
            "urlData": always([]),
        },
        "error", TABLE_PLACE, "no longer lists",
    ),
    DatasetDefect(
        "a renamed table",
        lost(rewritten(lambda found: [*without_table(found), {"code": "dwh.flights_2013", "title": "F"}])),
        "error", TABLE_PLACE, "Similar ones: 'dwh.flights_2013'",
    ),
    # Where the list may lack tables, nobody is told that theirs is gone.
    DatasetDefect(
        "a table that is not answered", lost(healthy), "error", "urlTableDescription", "answered HTTP 404", (UNUSABLE,)
    ),
    DatasetDefect(
        "a list that is not answered", lost(always("", 500)), "error", "urlTableDescription", "answered HTTP 404", (UNUSABLE,)
    ),
    DatasetDefect(
        "a list in an object", lost(always({"items": []})), "error", "urlTableDescription", "answered HTTP 404", (UNUSABLE,)
    ),
    DatasetDefect(
        "a list with a table without a code",
        lost(rewritten(lambda found: [*without_table(found), {"code": "", "title": "Flights"}])),
        "error", "urlTableDescription", "answered HTTP 404", (UNUSABLE,),
    ),
]  # fmt: skip
