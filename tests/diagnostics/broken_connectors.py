"""Broken connectors: how each differs from the sample, and what the diagnosis must say of it. Data."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bi_mcp.diagnostics.findings.finding import Level
from bi_mcp.endpoints.caller import EndpointLimits
from tests.diagnostics.bent_sample import (
    Bend,
    always,
    as_bytes,
    as_text,
    asking,
    by_turns,
    healthy,
    never,
    rewritten,
    when,
    with_first,
)

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


def given(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: bool(form.get(name))


def missing(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: not form.get(name)


def _with_header(change: Callable[[list[str]], list[Any]]) -> Bend:
    return rewritten(lambda rows: [change(rows[0]), *rows[1:]])


def _narrowed(rows: list[list[Any]]) -> list[list[Any]]:
    return [row[:1] for row in rows]


NOT_CALLED = ("Not called, because no table is known",)
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
        "redirects to itself", "urlCheck", always("", 302, location="/check"), "error", "redirects to itself"
    ),
    Defect(
        "answers a login page with 200",
        "urlCheck",
        always("<!DOCTYPE html><form><input type=password></form>"),
        "warning",
        "answers 200 with a web page",
        ("A wrong value in password is accepted",),
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
        "is not a JSON array",
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
        "element is not a JSON object",
    ),
    Defect(
        "has a number for a title", "urlTableList", with_first(title=7), "note", "must be text is a number"
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
        "content encoding that was not requested",
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
        "says gzip and is zlib",
        "urlTableList",
        as_bytes(zlib.compress, content_encoding="gzip"),
        "error",
        "is not gzip",
        NOT_CALLED,
    ),
    Defect(
        "is gzip unsaid", "urlTableList", as_bytes(gzip.compress), "error", "is gzip, but has no", NOT_CALLED
    ),
    Defect(
        "is UTF-16",
        "urlTableList",
        as_text(lambda text: text.encode("utf-16")),
        "error",
        "is UTF-16",
        NOT_CALLED,
    ),
    Defect(
        "tells an error with 200",
        "urlTableList",
        always({"error": "token expired"}),
        "error",
        "is not a JSON array: answer (an object with 'error')",
        NOT_CALLED,
    ),
    Defect(
        "answers by turns",
        "urlTableList",
        by_turns(healthy, always("", 500)),
        "warning",
        "answers only sometimes",
    ),
    Defect(
        "fails at first",
        "urlTableList",
        by_turns(always("", 502), healthy),
        "warning",
        "answers only sometimes",
    ),
    Defect(
        "is compressed unasked",
        "urlTableList",
        as_bytes(gzip.compress, content_encoding="gzip"),
        "warning",
        "compressed although compression was not requested",
    ),
]

DESCRIPTION = [
    Defect(
        "ends with a comma",
        "urlTableDescription",
        as_text(lambda text: f"{text[:-1]},]".encode()),
        "error",
        "contains an element that is not JSON",
    ),
    Defect(
        "holds a login page by turns",
        "urlTableDescription",
        by_turns(always("<html>Log in</html>"), healthy),
        "warning",
        "answers only sometimes",
    ),
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
    Defect(
        "answers by turns", "urlData", by_turns(healthy, always("", 500)), "warning", "answers only sometimes"
    ),
    Defect(
        "is asked too often",
        "urlData",
        always("", 429),
        "error",
        "answered HTTP 429",
    ),
    Defect("answers 204", "urlData", always("", 204), "error", "answered HTTP 204"),
    Defect(
        "holds NaN",
        "urlData",
        as_text(lambda text: text.replace('"UA"', "NaN", 1).encode()),
        "error",
        "contains NaN, which is not JSON",
        ("are optional, and without them it fails",),
    ),
    Defect(
        "answers a page of ten rows",
        "urlData",
        when(missing("limit"), rewritten(lambda rows: rows[:11])),
        "error",
        "Without limit, only 10 rows are returned",
    ),
    Defect("answers 500", "urlData", always("", 500), "error", "answered HTTP 500"),
    Defect("is an empty list", "urlData", always([]), "error", "first row is not a header"),
    Defect(
        "puts an object around the rows",
        "urlData",
        rewritten(lambda rows: {"data": rows}),
        "error",
        "is not a JSON array",
    ),
    Defect(
        "has no header", "urlData", rewritten(lambda rows: rows[1:]), "error", "first row is not a header"
    ),
    Defect("lacks a column", "urlData", rewritten(_narrowed), "error", "missing from the header"),
    Defect(
        "has a number in the header",
        "urlData",
        _with_header(lambda header: [*header[:-1], 2]),
        "error",
        "header contains something other than a code",
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
        "not have as many values",
        ("fails if a filter",),
    ),
    Defect(
        "has objects for rows",
        "urlData",
        rewritten(lambda rows: [rows[0], *(dict(zip(rows[0], row, strict=True)) for row in rows[1:])]),
        "error",
        "A row is not a JSON array",
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
        "a different order",
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
        "fails if select and limit are given",
    ),
    Defect("ignores the filter", "urlData", asking(filter=None), "error", "filter is ignored"),
    Defect(
        "cannot filter",
        "urlData",
        when(given("filter"), always("", 500)),
        "error",
        "fails if a filter is given",
    ),
    Defect(
        "finds nothing with a filter",
        "urlData",
        when(given("filter"), rewritten(lambda rows: rows[:1])),
        "error",
        "answered with wrong rows: is one of (string)",
    ),
    Defect(
        "answers a value without an end",
        "urlData",
        always('[["CARRIER", "NAME"], ["' + "x" * 40_000),
        "error",
        "the first element of the array did not end",
        limits=LITTLE,
    ),
]

SLOW = Defect("never answers", "urlCheck", never, "error", "did not send its whole answer", limits=SOON)
DEFECTS = [*CHECK, *TABLE_LIST, *DESCRIPTION, *DATA]
