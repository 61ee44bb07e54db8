"""Broken connectors: how each differs from the sample, and what the diagnosis must say of it. Data."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from bi_mcp.diagnostics.finding import Level
from bi_mcp.endpoints.caller import EndpointLimits
from tests.diagnostics.bent_sample import Bend, Question, always, as_bytes, asking, never, rewritten, when

NO_LIMIT_REACHED = EndpointLimits()


@dataclass(frozen=True)
class Defect:
    """One defect of an endpoint. `also` are words of findings that follow from it; there may be no others.

    `where` it shows, if not at its endpoint.
    """

    name: str
    endpoint: str
    bend: Bend
    level: Level
    words: str
    also: tuple[str, ...] = ()
    limits: EndpointLimits = NO_LIMIT_REACHED
    where: str = ""


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


def given(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: bool(form.get(name))


def missing(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: not form.get(name)


def with_first(**changes: Any) -> Bend:
    """The first element of a list of objects changed; a change to None takes the key away."""

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        first = {key: value for key, value in {**found[0], **changes}.items() if value is not None}
        return [first, *found[1:]] if found else found

    return rewritten(lambda found: change(found) if found else found)


def _with_header(change: Callable[[list[str]], list[Any]]) -> Bend:
    return rewritten(lambda rows: [change(rows[0]), *rows[1:]])


def _narrowed(rows: list[list[Any]]) -> list[list[Any]]:
    return [row[:1] for row in rows]


NOT_CALLED = ("Not called, since no table is known",)
LITTLE = EndpointLimits(size=20_000)
SOON = EndpointLimits(body_s=0.3)

CHECK = [
    Defect("refuses the right password", "urlCheck", always({}, 401), "error", "answered HTTP 401"),
    Defect("answers 201", "urlCheck", always({"id": 1}, 201), "error", "answered HTTP 201"),
    Defect("answers 204", "urlCheck", always("", 204), "error", "answered HTTP 204"),
    Defect("answers 500", "urlCheck", always("", 500), "error", "answered HTTP 500"),
    Defect("is not there", "urlCheck", always("", 404), "error", "answered HTTP 404"),
    Defect("has no body", "urlCheck", always(""), "error", "empty body"),
    Defect(
        "takes any password",
        "urlCheck",
        always({"ok": 1}),
        "warning",
        "A wrong value in password is accepted",
    ),
    Defect(
        "sends on to another host",
        "urlCheck",
        always("", 307, location="https://other.example/"),
        "error",
        "redirects to",
    ),
    Defect(
        "wants a slash at the end",
        "urlCheck",
        always("", 301, location="/check/"),
        "error",
        "redirects to",
    ),
]

TABLE_LIST = [
    Defect("answers 500", "urlTableList", always("", 500), "error", "answered HTTP 500", NOT_CALLED),
    Defect("is an HTML page", "urlTableList", always("<html></html>"), "error", "is HTML", NOT_CALLED),
    Defect("is empty", "urlTableList", always(""), "error", "is empty", NOT_CALLED),
    Defect(
        "puts an object around the list",
        "urlTableList",
        rewritten(lambda found: {"items": found}),
        "error",
        "is no JSON array",
        NOT_CALLED,
    ),
    Defect("has no tables", "urlTableList", always([]), "warning", "list of tables is empty", NOT_CALLED),
    Defect("does not search", "urlTableList", asking(searchString=""), "warning", "searchString is ignored"),
    Defect(
        "finds nothing with 404",
        "urlTableList",
        when(given("searchString"), always("[]", 404)),
        "error",
        "search that finds nothing fails",
    ),
    Defect("has an empty code", "urlTableList", with_first(code=""), "error", "code is empty"),
    Defect("has no title", "urlTableList", with_first(title=None), "error", "title is empty"),
    Defect(
        "has a code twice", "urlTableList", rewritten(lambda found: found * 2), "error", "code occurs twice"
    ),
    Defect(
        "has texts for tables",
        "urlTableList",
        rewritten(lambda found: [*found, *(["x"] if found else [])]),
        "error",
        "element is no JSON object",
    ),
    Defect(
        "has a number for a title", "urlTableList", with_first(title=7), "note", "number stands where a text"
    ),
    Defect(
        "begins with a byte order mark",
        "urlTableList",
        as_bytes(lambda body: b"\xef\xbb\xbf" + body),
        "error",
        "byte order mark",
        NOT_CALLED,
    ),
    Defect(
        "goes on after the list",
        "urlTableList",
        as_bytes(lambda body: body + b"<br>"),
        "error",
        "goes on after the end",
        NOT_CALLED,
    ),
    Defect("breaks off", "urlTableList", as_bytes(lambda body: body[:-5]), "error", "breaks off", NOT_CALLED),
    Defect(
        "is not UTF-8",
        "urlTableList",
        always('[{"code": "a", "title": "Заказы"}]'.encode("cp1251")),
        "error",
        "UTF-8",
        NOT_CALLED,
    ),
    Defect(
        "is compressed with what nobody asked for",
        "urlTableList",
        as_bytes(lambda body: body, content_encoding="br"),
        "error",
        "content encoding that was not asked for",
        NOT_CALLED,
    ),
    Defect(
        "says gzip and is none",
        "urlTableList",
        as_bytes(lambda body: body, content_encoding="gzip"),
        "error",
        "is not gzip",
        NOT_CALLED,
    ),
    Defect(
        "is compressed unasked",
        "urlTableList",
        as_bytes(gzip.compress, content_encoding="gzip"),
        "warning",
        "compressed though nobody asked for it",
    ),
]

DESCRIPTION = [
    Defect("is not there", "urlTableDescription", always("", 404), "error", "answered HTTP 404"),
    Defect("is empty", "urlTableDescription", always([]), "error", "array is empty"),
    Defect("has no name", "urlTableDescription", with_first(name=None), "error", "name is empty"),
    Defect("has no type", "urlTableDescription", with_first(type=""), "error", "type is empty"),
    Defect(
        "has a code twice",
        "urlTableDescription",
        rewritten(lambda found: [*found, found[0]]),
        "error",
        "code occurs twice",
    ),
    Defect(
        "has an unknown type",
        "urlTableDescription",
        with_first(type="Integer"),
        "warning",
        "type is unknown",
    ),
    Defect(
        "leaves a column out",
        "urlTableDescription",
        rewritten(lambda found: found[:1]),
        "note",
        "urlTableDescription does not describe",
        where="urlData",
    ),
]

DATA = [
    Defect("answers 500", "urlData", always("", 500), "error", "answered HTTP 500"),
    Defect("is an empty list", "urlData", always([]), "error", "first row is no header"),
    Defect(
        "puts an object around the rows",
        "urlData",
        rewritten(lambda rows: {"data": rows}),
        "error",
        "is no JSON array",
    ),
    Defect("has no header", "urlData", rewritten(lambda rows: rows[1:]), "error", "first row is no header"),
    Defect("lacks a column", "urlData", rewritten(_narrowed), "error", "missing from the header"),
    Defect(
        "has a number in the header",
        "urlData",
        _with_header(lambda header: [*header[:-1], 2]),
        "error",
        "header holds something else than a code",
        ("missing from the header",),
    ),
    Defect(
        "has a code twice in the header",
        "urlData",
        _with_header(lambda header: [header[0]] * len(header)),
        "error",
        "code occurs twice in the header",
        ("missing from the header",),
    ),
    Defect(
        "has rows of too few values",
        "urlData",
        rewritten(lambda rows: [rows[0], *(row[:-1] for row in rows[1:])]),
        "error",
        "another number of values",
        ("fails when a filter",),
    ),
    Defect(
        "has objects for rows",
        "urlData",
        rewritten(lambda rows: [rows[0], *(dict(zip(rows[0], row, strict=True)) for row in rows[1:])]),
        "error",
        "A row is no JSON array",
    ),
    Defect(
        "has lists for values",
        "urlData",
        rewritten(lambda rows: [rows[0], *([[value] for value in row] for row in rows[1:])]),
        "error",
        "value is an array or an object",
    ),
    Defect("ignores the limit", "urlData", asking(limit=None), "warning", "than limit allows"),
    Defect(
        "ignores select",
        "urlData",
        asking(select=None),
        "note",
        "another order",
    ),
    Defect(
        "adds a column to those selected",
        "urlData",
        rewritten(lambda rows: [[*rows[0], "extra"], *([*row, 1] for row in rows[1:])]),
        "warning",
        "select did not ask for",
        ("does not describe",),
    ),
    Defect(
        "needs a limit",
        "urlData",
        when(missing("limit"), always("", 400)),
        "error",
        "are optional, and without them it fails",
    ),
    Defect(
        "cannot select",
        "urlData",
        when(given("select"), always("", 500)),
        "error",
        "fails when select and limit are given",
    ),
    Defect("ignores the filter", "urlData", asking(filter=None), "warning", "filter is ignored"),
    Defect(
        "cannot filter",
        "urlData",
        when(given("filter"), always("", 500)),
        "error",
        "fails when a filter is given",
    ),
    Defect(
        "finds nothing with a filter",
        "urlData",
        when(given("filter"), rewritten(lambda rows: rows[:1])),
        "warning",
        "A filter on column 'carrier' finds nothing",
    ),
    Defect(
        "answers a value without an end",
        "urlData",
        always('[["carrier", "name"], ["' + "x" * 40_000),
        "error",
        "without an element that ends",
        limits=LITTLE,
    ),
]

SLOW = Defect("never answers", "urlCheck", never, "error", "had not answered in full", limits=SOON)
DEFECTS = [*CHECK, *TABLE_LIST, *DESCRIPTION, *DATA]


def described(change: Callable[[list[dict[str, Any]]], object]) -> Bend:
    """The columns of `flights` changed."""
    return rewritten(change)


def retyped(code: str, type: str) -> Bend:
    return rewritten(
        lambda found: [column | {"type": type} if column["code"] == code else column for column in found]
    )


def valued(code: str, change: Callable[[Any], Any]) -> Bend:
    """The values of a column changed in every row, unless they are empty."""

    def changed(rows: list[list[Any]]) -> list[list[Any]]:
        place = rows[0].index(code)
        return [
            rows[0],
            *(
                [*row[:place], None if row[place] is None else change(row[place]), *row[place + 1 :]]
                for row in rows[1:]
            ),
        ]

    return rewritten(changed)


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


def typed(code: str, type: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    return lambda columns: [
        column | {"type": type} if column["externalCode"] == code else column for column in columns
    ]


def lacking(code: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    return lambda columns: [column for column in columns if column["externalCode"] != code]


def dotted(day: str) -> str:
    return ".".join(reversed(day.split("-")))


def gone(code: str) -> Mapping[str, Bend]:
    """A column that is neither described nor answered, and refused when selected."""
    return {
        "urlTableDescription": rewritten(
            lambda found: [column for column in found if column["code"] != code]
        ),
        "urlData": when(lambda form: code in (form.get("select") or {}).values(), always("", 400)),
    }


NO_LONGER = "no longer outside"
DATE, MOMENT, CARRIER, NUMBER, TEMPERATURE = (
    "column FLIGHT_DATE",
    "column SCHEDULED_DEPARTURE",
    "column CARRIER",
    "column FLIGHT_NUMBER",
    "column TEMPERATURE",
)
DATASET_DEFECTS = [
    DatasetDefect("a column vanished", gone("carrier"), "error", CARRIER, "no longer outside"),
    DatasetDefect(
        "a column appeared", {}, "note", "columns", "that the dataset lacks: 'carrier'", columns=lacking("carrier")
    ),
    DatasetDefect(
        "a column was renamed", recoded("flight_number", "flight_numbers"), "error", NUMBER, "probably its new name"
    ),
    DatasetDefect("a code in capitals", recoded("carrier", "Carrier"), "error", CARRIER, "other capital letters"),
    DatasetDefect(
        "a code with a letter that looks the same",
        recoded("carrier", "сarrier"),
        "error",
        CARRIER,
        "letters that only look the same",
    ),
    DatasetDefect("d.m.Y in a date", {"urlData": valued("flight_date", dotted)}, "error", DATE, "d.m.Y"),
    DatasetDefect(
        "a date that does not exist",
        {"urlData": valued("flight_date", lambda _: "2013-02-30")},
        "error",
        DATE,
        '"2013-02-30" in row 1',
    ),
    DatasetDefect(
        "seconds since 1970 in a date", {"urlData": valued("flight_date", lambda _: 1356998400)}, "error", DATE, "Unix time"
    ),
    DatasetDefect(
        "a lost time zone",
        {"urlData": valued("scheduled_departure", lambda text: text.replace(" ", "T") + "+03:00")},
        "error",
        MOMENT,
        "the time zone is lost",
    ),
    DatasetDefect(
        "moments without seconds",
        {"urlData": valued("scheduled_departure", lambda text: text[:16])},
        "error",
        MOMENT,
        "time without seconds",
    ),
    DatasetDefect(
        "decimal commas",
        {"urlData": valued("temperature", lambda number: f"{number:.1f}".replace(".", ","))},
        "error",
        TEMPERATURE,
        "decimal comma",
    ),
    DatasetDefect(
        "thousands apart", {"urlData": valued("temperature", lambda _: "1 234.5")}, "error", TEMPERATURE, "spaces between thousands"
    ),
    DatasetDefect(
        "amounts with a currency",
        {"urlData": valued("temperature", lambda number: f"{number} ₽")},
        "error",
        TEMPERATURE,
        "amount with a currency",
    ),
    DatasetDefect(
        "money with a currency",
        {"urlTableDescription": retyped("temperature", "money"), "urlData": valued("temperature", lambda number: f"{number}|RUB")},
        "error",
        TEMPERATURE,
        "are no money",
        columns=typed("temperature", "money"),
    ),
    DatasetDefect(
        "numbers over 64 bits", {"urlData": valued("flight_number", lambda _: 2**64)}, "error", NUMBER, "number over 64 bits"
    ),
    DatasetDefect("words in numbers", {"urlData": valued("flight_number", lambda _: "n/a")}, "error", NUMBER, "are no int"),
    DatasetDefect(
        "some words in numbers",
        {"urlData": valued("flight_number", lambda number: "none" if number % 2 else number)},
        "warning",
        NUMBER,
        "Kinds mixed: numbers, text",
    ),
    DatasetDefect(
        "numbers among texts",
        {"urlData": valued("carrier", lambda text: 7 if text == "UA" else text)},
        "note",
        CARRIER,
        "Values of mixed kinds: numbers, texts",
    ),
    DatasetDefect("an empty column", {"urlData": valued("carrier", lambda _: None)}, "note", CARRIER, "Empty in all"),
    DatasetDefect(
        "another type on the portal", {}, "warning", NUMBER, "is double here and int in urlTableDescription",
        columns=typed("flight_number", "double"),
    ),
    DatasetDefect(
        "a wrong description", {"urlTableDescription": retyped("carrier", "int")}, "warning", CARRIER, "the description is wrong"
    ),
    DatasetDefect(
        "an unknown type", {"urlTableDescription": retyped("carrier", "varchar")}, "note", CARRIER, "'varchar'"
    ),
    DatasetDefect("hidden columns", {}, "note", "columns", "Hidden, so charts cannot use them: 'CARRIER'", hidden=("carrier",)),
    DatasetDefect("a mapping that is ignored", {}, "error", "header of urlData", "mapFields is ignored", mapping=True),
    DatasetDefect(
        "columns in another order", {"urlData": asking(select=None)}, "warning", "header of urlData", "another order",
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
    DatasetDefect("no header", {"urlData": rewritten(lambda rows: rows[1:])}, "error", "header of urlData", "None of it is a code"),
    DatasetDefect(
        "a code twice in the header",
        {"urlData": rewritten(lambda rows: [[*row, row[0]] for row in rows])},
        "error",
        "header of urlData",
        "Codes stand there more than once: 'flight_date'",
    ),
    DatasetDefect(
        "codes that look the same",
        {"urlTableDescription": rewritten(lambda found: [*found, found[3] | {"code": "Carrier"}])},
        "warning",
        "urlTableDescription",
        "Codes that people take for the same",
        ("that the dataset lacks: 'Carrier'",),
    ),
    DatasetDefect(
        "a code twice in the description",
        {"urlTableDescription": rewritten(lambda found: [*found, found[3]])},
        "error",
        "urlTableDescription",
        "A code occurs twice: column 14 (carrier)",
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
        {"urlData": rewritten(lambda rows: [rows[0], {"carrier": "UA"}, *rows[2:]])},
        "error",
        "urlData",
        "A row is no JSON array: row 2",
    ),
    DatasetDefect("no description", {"urlTableDescription": always("", 500)}, "error", "urlTableDescription", "answered HTTP 500"),
    DatasetDefect("no data", {"urlData": always("", 500)}, "error", "urlData", "answered HTTP 500"),
    DatasetDefect(
        "another table", {"urlTableDescription": asking(table="airports"), "urlData": asking(table="airports", select=None)},
        "error", "columns", "None of the 13 columns is outside any more",
    ),
]  # fmt: skip
