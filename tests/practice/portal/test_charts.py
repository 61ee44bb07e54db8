"""What a user sees in a chart, and why it is empty where it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.base.secret import MASK
from bi_mcp.practice.portal import outbound
from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_failures import ChartFailureError
from bi_mcp.practice.portal.chart_question import ChartQuestion
from bi_mcp.practice.portal.outbound import Outbound
from tests.practice.portal.calling import ORIGIN
from tests.practice.portal.charting import CODES, NAMES, PASSWORD, ROW, chart_portal

pytestmark = pytest.mark.anyio


async def test_a_newer_portal_shows_names_for_the_codes_of_row_1_in_the_order_of_the_question() -> None:
    async with chart_portal("tables") as portal:
        portal.answers(["airline", "unasked", "dep_delay"], ["UA", None, 5], ["AA", None, None])
        chart = await portal.open(columns=("DELAY", "CARRIER"))
        assert (chart.columns, chart.rows) == (("DELAY", "CARRIER"), ((5, "UA"), (None, "AA")))
        assert (chart.failure, chart.status, chart.values("DELAY")) == (None, 200, [5, None])


async def test_a_classic_portal_shows_row_1_as_it_is() -> None:
    async with chart_portal("classic") as portal:
        portal.answers(["CARRIER", "DELAY"], ["UA", 5])
        chart = await portal.open(columns=("DELAY", "CARRIER"))
        assert (chart.columns, chart.rows) == (("DELAY", "CARRIER"), ((5, "UA"),))


async def test_a_dataset_is_found_by_its_name_too_and_a_table_without_rows_is_a_chart_without_rows() -> None:
    async with chart_portal() as portal:
        portal.answers(CODES)
        chart = await portal.app.state.charts.open(ChartQuestion("orders"))
        assert (list(chart.columns), chart.rows, chart.failure) == (NAMES, (), None)
        for unknown in (99, "nothing"):
            with pytest.raises(ModuleFault, match="DATASET_NOT_FOUND"):
                await portal.app.state.charts.open(ChartQuestion(unknown))


@pytest.mark.parametrize(
    ("generation", "status", "body", "kind", "said"),
    [
        ("tables", 500, "[]", "status", "HTTP 500"),
        ("tables", 204, "", "status", "HTTP 204"),
        ("tables", 201, json.dumps([CODES]), "status", "HTTP 201"),
        ("tables", 200, "", "no_body", "cannot connect"),
        ("tables", 200, "0", "no_body", "cannot connect"),
        ("tables", 200, " ", "not_json", "not JSON"),
        ("tables", 200, "<html>", "not_json", "not JSON"),
        ("tables", 200, "\ufeff[]", "not_json", "not JSON"),
        ("tables", 200, "[[NaN]]", "not_json", "not JSON"),
        ("tables", 200, '[["\\ud800"]]', "not_json", "not JSON"),
        ("tables", 200, "[" * 100_000, "not_json", "not JSON"),
        ("tables", 200, '{"error": "no"}', "not_rows", "not a list of rows"),
        ("tables", 200, '[{"airline": "UA"}]', "not_rows", "not a list of rows"),
        ("tables", 200, json.dumps([CODES, [[], 1, None, None, 1]]), "not_rows", "plain values"),
        ("tables", 200, "[]", "no_header", "nothing names the columns"),
        ("tables", 200, json.dumps([CODES, ROW, ROW[:2]]), "ragged", "Row 3 has 2 values, and row 1 has 5"),
        ("tables", 200, json.dumps([NAMES, ROW]), "names_in_header", "external codes of CARRIER, DELAY"),
        ("classic", 200, json.dumps([CODES, ROW]), "codes_in_header", "asked for CARRIER, DELAY"),
        ("tables", 200, json.dumps([["airline"], ["UA"]]), "columns_missing", "not name DELAY, DAY"),
        ("classic", 200, json.dumps([["carrier"], ["UA"]]), "columns_missing", "not name CARRIER, DELAY"),
        (
            "tables",
            200,
            json.dumps([CODES, ROW, ["UA", 5, "1900-01-01", None, 1]]),
            "old_date",
            "Row 3 holds 1900-01-01 in DAY",
        ),
    ],
)
async def test_an_answer_that_bitrix24_cannot_use_is_an_empty_chart_with_its_reason(
    generation: str, status: int, body: str, kind: str, said: str
) -> None:
    async with chart_portal("classic" if generation == "classic" else "tables") as portal:
        portal.recorder.status, portal.recorder.body = status, body.encode()
        chart = await portal.open()
        assert chart.failure is not None
        assert (chart.failure.kind, said in chart.failure.reason) == (kind, True), chart.failure.reason
        assert (chart.columns, chart.rows, chart.status) == ((), (), status)
        assert chart.answer == body[:500]


async def test_an_inactive_source_is_refused_before_the_call() -> None:
    async with chart_portal("classic") as portal:
        await portal.caller.result(
            "biconnector.source.update", id=1, fields={"title": "Shop one", "active": False}
        )
        chart = await portal.open()
        assert chart.failure is not None
        assert (chart.failure.kind, chart.sent, portal.recorder.forms) == ("inactive", (), [])


async def test_the_source_s_settings_stay_out_of_what_is_kept() -> None:
    async with chart_portal() as portal:
        portal.recorder.status, portal.recorder.body = 403, f"{PASSWORD} was refused".encode()
        chart = await portal.open(columns=("DELAY",))
        assert PASSWORD not in repr(chart)
        assert "was refused" in chart.answer
        assert list(chart.sent) == [
            ("table", "flights"),
            ("select[0]", "DELAY"),
            ("mapFields[dep_delay]", "DELAY"),
        ]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (f"denied: {PASSWORD[:6]}", f"denied: {PASSWORD[:6]}"),
        ("x" * (500 - 6) + PASSWORD[:6], "x" * (500 - 6) + PASSWORD[:6]),
        ("x" * (500 - 6) + PASSWORD, "x" * (500 - 6) + MASK),
        ("x" * (500 - 4) + "ключ", "x" * (500 - 4) + "кл"),
        ("x" * (500 - 3) + "ключ", "x" * (500 - 3) + "к"),
    ],
)
async def test_only_where_an_answer_was_cut_its_end_may_be_the_beginning_of_a_secret(
    body: str, kept: str
) -> None:
    async with chart_portal() as portal:
        portal.recorder.status, portal.recorder.body = 403, body.encode()
        assert (await portal.open()).answer == kept


@pytest.mark.parametrize(
    ("column_type", "value", "shown"),
    [
        ("int", "12", 12),
        ("int", 12.0, 12),
        ("int", True, 1),
        ("int", "", None),
        ("double", "1.5", 1.5),
        ("double", 2, 2.0),
        ("money", "1 200.50 USD", 1200.5),
        ("string", 7, "7"),
        ("string", "", ""),
        ("string", False, ""),
        ("date", "2025-12-31", "2025-12-31"),
        ("datetime", "2025-12-31 23:59:59", "2025-12-31 23:59:59"),
        ("timezone", "+03:00", "+03:00"),
        ("datetime", None, None),
    ],
)
async def test_values_are_read_by_the_types_of_the_columns(
    column_type: str, value: object, shown: object
) -> None:
    column = {"name": "VALUE", "externalCode": "VALUE", "type": column_type}
    async with chart_portal(columns=[column]) as portal:
        portal.answers(["VALUE"], [value])
        chart = await portal.open()
        assert (chart.rows, chart.picture.unread) == (((shown,),), ())


@pytest.mark.parametrize(
    ("column_type", "value"),
    [
        ("int", "12.5"),
        ("int", "many"),
        ("double", "1,5"),
        ("money", "free"),
        ("date", "31.12.2025"),
        ("date", "2025-02-30"),
        ("datetime", "2025-12-31"),
        ("double", "1e999"),
    ],
)
async def test_a_value_of_another_type_is_missing_and_a_note_says_so(column_type: str, value: str) -> None:
    column = {"name": "VALUE", "externalCode": "VALUE", "type": column_type}
    async with chart_portal(columns=[column]) as portal:
        portal.answers(["VALUE"], [value], [None])
        chart = await portal.open()
        assert chart.rows == ((None,), (None,))
        assert chart.as_json()["notes"] == [
            f"VALUE: 1 of 2 values are not of type {column_type} and are missing in the chart.",
        ]


async def test_a_redirect_is_followed() -> None:
    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/urlData":
            await RedirectResponse("/moved", 307)(scope, receive, send)
            return
        body = json.dumps([CODES, ROW]) if b"table=flights" in await request.body() else "ok"
        await Response(body)(scope, receive, send)

    async with chart_portal(connector=moved) as portal:
        assert (await portal.open()).rows == (tuple(ROW),)


async def _silent(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep_forever()


async def _broken(scope: Scope, receive: Receive, send: Send) -> None:
    await RedirectResponse("http://[")(scope, receive, send)


async def _ample(scope: Scope, receive: Receive, send: Send) -> None:
    await Response("[" * 11)(scope, receive, send)


@pytest.mark.parametrize(
    ("url", "connector", "kind"),
    [
        (ORIGIN, _silent, "timeout"),
        (ORIGIN, _broken, "unreachable"),
        (ORIGIN, _ample, "too_large"),
        ("http://user:canary@[", _silent, "unreachable"),
        ("http://127.0.0.1:1/", _silent, "unreachable"),
    ],
)
async def test_a_connector_without_a_whole_answer_is_a_failure(
    url: str, connector: ASGIApp, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "LARGEST_ANSWER", 10)
    form: Sequence[tuple[str, str]] = [("table", "flights")]
    with pytest.raises(ChartFailureError) as failed:
        await Outbound({ORIGIN: connector}, data_timeout_s=0.5).url_data(url, form)
    assert failed.value.failure.kind == kind
    assert "canary" not in failed.value.failure.reason
