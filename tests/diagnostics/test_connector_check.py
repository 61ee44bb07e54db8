"""The check of a connector: a healthy one yields nothing, and each broken rule is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.diagnostics.connector_check import check_connector, examine_connector
from bi_mcp.diagnostics.finding import Finding
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.sample import ENDPOINTS, ORIGIN, create_app
from bi_mcp.sample.brackets import parse_form
from bi_mcp.secret import Secret
from tests.portal.serving import served

pytestmark = pytest.mark.anyio

CONNECTION = {"login": Secret("demo"), "password": Secret("demo-password")}
SHOP = "http://shop.localhost"
URLS = {endpoint: SHOP + path for endpoint, path in ENDPOINTS.items()}

Form = Mapping[str, Any]
Answer = Callable[[Form], Response]


def as_json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status)


def check(form: Form) -> Response:
    return as_json({"ok": 1}, 200 if form["connection"]["password"] == "demo-password" else 401)


def tables(form: Form) -> Response:
    found = [{"code": code, "title": code.title()} for code in ("orders", "goods")]
    return as_json([table for table in found if form["searchString"] in table["code"]])


def table(_: Form) -> Response:
    return as_json(
        [{"code": "id", "name": "Id", "type": "int"}, {"code": "city", "name": "City", "type": "string"}]
    )


def data(form: Form) -> Response:
    select = list(form.get("select", {"0": "id", "1": "city"}).values())
    rows = [{"id": 1, "city": "Osh"}, {"id": 2, "city": "Riga"}]
    kept = rows[: int(form.get("limit", 99))]
    return as_json([select, *([row[code] for code in select] for row in kept)])


HEALTHY: Mapping[str, Answer] = {
    "urlCheck": check,
    "urlTableList": tables,
    "urlTableDescription": table,
    "urlData": data,
}


def shop(**changed: Answer) -> ASGIApp:
    """A healthy connector, but for the endpoints given."""
    answers = {ENDPOINTS[endpoint]: answer for endpoint, answer in {**HEALTHY, **changed}.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        form = parse_form(await request.body())
        await answers[request.url.path](form)(scope, receive, send)

    return app


async def findings(app: ASGIApp, table: str | None = None) -> list[Finding]:
    return await check_connector(EndpointCaller(apps={SHOP: app}), URLS, CONNECTION, table=table)


async def test_a_healthy_connector_yields_no_finding() -> None:
    assert await findings(shop()) == []


async def test_the_sample_is_healthy_and_its_facts_are_told() -> None:
    urls = {endpoint: ORIGIN + path for endpoint, path in ENDPOINTS.items()}
    report = await examine_connector(EndpointCaller(apps={ORIGIN: create_app()}), urls, CONNECTION)

    assert (report.verdict, report.findings, report.table) == ("ok", [], "airlines")
    assert [facts.endpoint for facts in report.endpoints] == list(ENDPOINTS)
    assert all(facts.reached and facts.status == 200 and facts.size for facts in report.endpoints)
    assert [facts.held for facts in report.endpoints] == [None, "4 tables", "2 columns", "16 rows"]


async def test_a_connector_on_a_private_address_works_and_is_told_that_the_cloud_will_not_call_it() -> None:
    async with served(create_app()) as address:
        urls = {endpoint: f"http://{address}{path}" for endpoint, path in ENDPOINTS.items()}
        allowed = await examine_connector(EndpointCaller(allow_private=True), urls, CONNECTION)
        refused = await examine_connector(EndpointCaller(), urls, CONNECTION)

    assert [(finding.level, finding.where) for finding in allowed.findings] == [("warning", "address")]
    assert "loopback" in allowed.findings[0].what
    assert refused.verdict == "error"
    assert not any(facts.reached for facts in refused.endpoints)


async def test_a_wrong_login_fails_everywhere() -> None:
    urls = {endpoint: ORIGIN + path for endpoint, path in ENDPOINTS.items()}
    wrong = {**CONNECTION, "password": Secret("not-the-one")}
    found = await check_connector(EndpointCaller(apps={ORIGIN: create_app()}), urls, wrong)

    assert [finding.where for finding in found if finding.level == "error"] == ["urlCheck", "urlTableList"]
    assert all("401" in finding.what for finding in found if finding.level == "error")
    assert [finding.where for finding in found if finding.level == "note"] == [
        "urlTableDescription",
        "urlData",
    ]


def always(value: object, status: int = 200) -> Answer:
    return lambda _: as_json(value, status)


def rewritten(answer: Answer, change: Callable[[Any], object]) -> Answer:
    return lambda form: as_json(change(json.loads(bytes(answer(form).body))))


def fails_without_limit(form: Form) -> Response:
    return data(form) if "limit" in form else as_json({}, 400)


def fails_with_limit(form: Form) -> Response:
    return as_json({}, 500) if "limit" in form else data(form)


def without(form: Form, *names: str) -> Form:
    return {name: value for name, value in form.items() if name not in names}


def fails_when_nothing_is_found(form: Form) -> Response:
    found = tables(form)
    return as_json({}, 404) if found.body == b"[]" else found


ONE_COLUMN = [{"code": "id", "name": "Id", "type": "int"}]

BROKEN: list[tuple[str, Answer, str, str]] = [
    ("urlCheck", always({}, 201), "error", "HTTP 201"),
    ("urlCheck", lambda _: Response(""), "error", "empty body"),
    ("urlCheck", always({"ok": 1}), "warning", "wrong value in password is accepted"),
    ("urlTableList", always({}, 500), "error", "HTTP 500"),
    ("urlTableList", lambda _: Response("<html>"), "error", "is HTML"),
    ("urlTableList", always({"items": []}), "error", "no JSON array"),
    ("urlTableList", always([]), "warning", "list of tables is empty"),
    ("urlTableList", always([{"code": "orders", "title": "O"}]), "warning", "searchString is ignored"),
    (
        "urlTableList",
        fails_when_nothing_is_found,
        "error",
        "search that finds nothing fails",
    ),
    (
        "urlTableList",
        rewritten(tables, lambda found: [*found, {"code": "", "title": "x"}]),
        "error",
        "code is empty",
    ),
    ("urlTableList", rewritten(tables, lambda found: [*found, {"code": "x"}]), "error", "title is empty"),
    ("urlTableList", rewritten(tables, lambda found: found * 2), "error", "code occurs twice"),
    ("urlTableDescription", always({}, 404), "error", "HTTP 404"),
    ("urlTableDescription", always([]), "error", "array is empty"),
    (
        "urlTableDescription",
        rewritten(table, lambda found: [*found, {"code": "x"}]),
        "error",
        "name is empty",
    ),
    ("urlTableDescription", rewritten(table, lambda found: found * 2), "error", "code occurs twice"),
    (
        "urlTableDescription",
        always([*ONE_COLUMN, {"code": "city", "name": "C", "type": "Integer"}]),
        "warning",
        "type is unknown",
    ),
    ("urlData", always({}, 500), "error", "HTTP 500"),
    ("urlData", always([]), "error", "no header"),
    ("urlData", rewritten(data, lambda rows: rows[1:]), "error", "no header"),
    ("urlData", rewritten(data, lambda rows: [row[:1] for row in rows]), "error", "missing from the header"),
    ("urlData", rewritten(data, lambda rows: [rows[0], rows[1][:1]]), "error", "another number of values"),
    ("urlData", rewritten(data, lambda rows: [rows[0], {"id": 1}]), "error", "no JSON array"),
    ("urlData", rewritten(data, lambda rows: [rows[0], [{}, []]]), "error", "array or an object"),
    ("urlData", lambda form: data(without(form, "limit")), "warning", "than limit allows"),
    ("urlData", lambda form: data(without(form, "select")), "note", "another order"),
    ("urlData", fails_without_limit, "error", "are optional, and without them it fails"),
    ("urlData", fails_with_limit, "error", "fails when select and limit are given"),
]


@pytest.mark.parametrize(("endpoint", "answer", "level", "words"), BROKEN)
async def test_each_broken_rule_is_named_with_its_cure(
    endpoint: str, answer: Answer, level: str, words: str
) -> None:
    found = await findings(shop(**{endpoint: answer}))

    named = [finding for finding in found if words in finding.what]
    assert [(finding.where, finding.level) for finding in named] == [(endpoint, level)], found
    assert all(finding.fix for finding in found)


async def test_a_column_that_is_answered_and_not_described_is_named_where_it_is_answered() -> None:
    found = await findings(shop(urlTableDescription=always(ONE_COLUMN)))

    assert [(finding.where, finding.level) for finding in found] == [("urlData", "note")]
    assert "does not describe: row 1 (city)" in found[0].what


async def test_a_table_that_is_not_listed_is_said_to_be() -> None:
    assert any("'secret' is not in the list" in finding.what for finding in await findings(shop(), "secret"))


async def test_no_finding_holds_a_value_of_the_connection() -> None:
    leaky = [{"code": "demo-password", "name": "n", "type": "demo-password"}] * 2
    found = await findings(shop(urlTableDescription=always(leaky), urlData=always([["demo-password"] * 2])))

    assert len(found) > 2
    assert "demo-password" not in " ".join(f"{finding.what} {finding.fix}" for finding in found)


async def test_the_probe_sends_another_password_and_the_same_login() -> None:
    seen: list[Form] = []

    def remembering(form: Form) -> Response:
        seen.append(form["connection"])
        return check(form)

    await findings(shop(urlCheck=remembering))

    assert [sent["login"] for sent in seen] == ["demo", "demo"]
    assert seen[0]["password"] == "demo-password"
    assert seen[1]["password"] != "demo-password"
