"""The check of a connector: a healthy one yields nothing, and each broken rule is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp

from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.endpoints.dates import CULTURES, CultureName
from bi_mcp.practice.sample import ENDPOINTS, ORIGIN, create_app
from tests.diagnostics.bent_sample import (
    CONNECTION,
    Bend,
    BentSample,
    Question,
    always,
    asking,
    healthy,
    rewritten,
    valued,
    when,
)
from tests.practice.portal.serving import served

pytestmark = pytest.mark.anyio

SHOP = "http://shop.localhost"
URLS = {endpoint: SHOP + path for endpoint, path in ENDPOINTS.items()}


def shop(**bends: Bend) -> ASGIApp:
    """A healthy connector, but for the endpoints given."""
    return BentSample(bends)


async def findings(app: ASGIApp, table: str | None = None) -> list[Finding]:
    return (await examine_connector(EndpointCaller(apps={SHOP: app}), URLS, CONNECTION, table=table)).findings


async def test_a_healthy_connector_yields_no_finding() -> None:
    assert await findings(shop()) == []


async def test_the_sample_is_healthy_and_its_facts_are_told() -> None:
    urls = {endpoint: ORIGIN + path for endpoint, path in ENDPOINTS.items()}
    report = await examine_connector(EndpointCaller(apps={ORIGIN: create_app()}), urls, CONNECTION)

    assert (report.verdict, report.findings, report.table) == ("ok", [], "airlines")
    assert [facts.endpoint for facts in report.endpoints] == list(ENDPOINTS)
    assert all(facts.reached and facts.status == 200 and facts.size for facts in report.endpoints)
    assert [facts.held for facts in report.endpoints] == [
        "the values are accepted",
        "4 tables: airlines, airports, flights, weather",
        "2 columns",
        "16 rows",
    ]


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
    found = (await examine_connector(EndpointCaller(apps={ORIGIN: create_app()}), urls, wrong)).findings

    # One refusal is told once, with what follows from it.
    [refused] = [finding for finding in found if finding.level == "error"]
    assert refused.where == "urlCheck, urlTableList"
    assert refused.what.count("401") == 1
    assert "nor change a source" in refused.what
    assert "shows no tables" in refused.what
    assert [finding.where for finding in found if finding.level == "note"] == ["urlTableDescription, urlData"]


async def test_a_table_that_is_not_listed_is_said_to_be() -> None:
    assert any("'secret' is not in the list" in finding.what for finding in await findings(shop(), "secret"))


async def test_no_finding_holds_a_value_of_the_connection() -> None:
    leaky = [{"code": "demo-password", "name": "n", "type": "demo-password"}] * 2
    found = await findings(shop(urlTableDescription=always(leaky), urlData=always([["demo-password"] * 2])))

    assert len(found) > 2
    assert "demo-password" not in " ".join(f"{finding.what} {finding.fix}" for finding in found)


async def test_the_probe_sends_another_password_and_the_same_login() -> None:
    seen: list[Mapping[str, str]] = []

    async def remembering(question: Question) -> Response:
        seen.append(question.form["connection"])
        return await healthy(question)

    await findings(shop(urlCheck=remembering))

    assert [sent["login"] for sent in seen] == ["demo", "demo", "demo"]
    assert [sent["password"] == "demo-password" for sent in seen] == [True, True, False]


@pytest.mark.parametrize("bend", [asking(filter=None), always("", 400)])
@pytest.mark.parametrize(
    ("known", "missing"),
    [("=CARRIER", ["groups_refused"]), ("CARRIER", ["value_lists_refused", "groups_refused"])],
)
async def test_a_connector_that_knows_equality_alone_is_told_what_it_lacks(
    known: str, missing: list[str], bend: Bend
) -> None:
    def is_unknown(form: Mapping[str, Any]) -> bool:
        return bool(form.get("filter")) and (
            known not in form["filter"] or (known == "CARRIER" and not isinstance(form["filter"][known], str))
        )

    found = await findings(shop(urlData=when(is_unknown, bend)))

    assert [finding.code for finding in found] == missing
    assert all("Sent: filter[0][LOGIC]=OR&filter[0][0][=CARRIER][0]=AA" in finding.what for finding in found)


async def test_texts_that_differ_in_case_only_are_not_a_sign_of_an_ignored_filter() -> None:
    lowered = valued("CARRIER", str.lower)
    assert await findings(shop(urlData=when(lambda form: bool(form.get("filter")), lowered))) == []


async def test_quick_leaves_out_what_charts_ask() -> None:
    caller = EndpointCaller(apps={SHOP: shop(urlData=asking(filter=None))})
    report = await examine_connector(caller, URLS, CONNECTION, quick=True)

    assert report.findings == []
    assert {facts.endpoint: facts.calls for facts in report.endpoints} == {
        "urlCheck": 2,
        "urlTableList": 2,
        "urlTableDescription": 1,
        "urlData": 2,
    }


@pytest.mark.parametrize("table", ["airlines", "airports", "flights", "weather"])
@pytest.mark.parametrize("maps", [True, False, None])
@pytest.mark.parametrize(
    "culture",
    [
        pytest.param(culture, marks=() if culture == "ru" else pytest.mark.campaign("charts"))
        for culture in CULTURES
    ],
)
async def test_a_healthy_table_is_asked_everything_within_forty_calls(
    table: str, maps: bool | None, culture: CultureName
) -> None:
    caller = EndpointCaller(culture=culture, apps={SHOP: create_app(culture=culture)})
    report = await examine_connector(caller, URLS, CONNECTION, table=table, maps=maps)

    assert report.findings == []
    assert report.endpoints[-1].calls is not None
    assert report.endpoints[-1].calls <= 40


async def test_filter_is_not_tried_where_all_rows_are_alike() -> None:
    alike = rewritten(lambda rows: [rows[0], *[rows[1]] * (len(rows) - 1)])
    seen: list[Mapping[str, Any]] = []

    async def remembering(question: Question) -> Response:
        seen.append(question.form)
        return await alike(question)

    assert await findings(shop(urlData=remembering)) == []
    assert [form for form in seen if form.get("filter")] == []
