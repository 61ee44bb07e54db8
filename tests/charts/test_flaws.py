"""Each wrong connector is accused of its flaw and of nothing else; an honest one of nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.endpoints.caller import EndpointCaller
from tests.charts.connector import CONNECTION, PATHS, HonestConnector, SqlConnector
from tests.charts.drawn import Case, cases
from tests.charts.flaws import DATA_FLAWS, FLAWS, OPERATOR_FLAWS, Flaw
from tests.charts.parameters import in_campaign, named
from tests.charts.questions import CULTURES, Culture
from tests.charts.tables import Table, shop

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("wrong connectors")]

ORIGIN = "http://shop.localhost"
TABLE = "orders"
MOST_CALLS = 40
# These tell of more than one request.
TOLD_OTHERWISE = {"header_in_codes", "header_in_names", "answers_by_turns"}


async def accusations(connector: HonestConnector, culture: Culture = "ru") -> list[Finding]:
    """Ask as `bi-mcp check` does; what is left are warnings and errors."""
    caller = EndpointCaller(apps={ORIGIN: connector}, culture=culture)
    urls = {endpoint: ORIGIN + path for endpoint, path in PATHS.items()}
    connection = {code: Secret(value) for code, value in CONNECTION.items()}
    report = await examine_connector(caller, urls, connection, table=TABLE)
    assert connector.calls <= MOST_CALLS
    return [finding for finding in report.findings if finding.level in {"warning", "error"}]


@pytest.mark.parametrize("culture", CULTURES)
@pytest.mark.parametrize("table", [shop(), shop(capitals=True)], ids=["small letters", "capitals"])
@pytest.mark.parametrize("kind", [HonestConnector, SqlConnector])
async def test_an_honest_connector_is_not_accused(
    kind: Callable[..., HonestConnector], table: Table, culture: Culture
) -> None:
    assert not await accusations(kind(table, culture=culture), culture)


@pytest.mark.parametrize("flaw", [*map(named, (*FLAWS, *DATA_FLAWS)), *map(in_campaign, OPERATOR_FLAWS)])
async def test_a_flaw_is_named_and_nothing_else_is(flaw: Flaw) -> None:
    found = await accusations(flaw.build(), flaw.culture)
    assert [finding.code for finding in found] == [flaw.code], [finding.what for finding in found]
    [finding] = found
    assert finding.fix
    assert CONNECTION["password"] not in finding.what
    if flaw not in DATA_FLAWS and flaw.code not in TOLD_OTHERWISE:
        assert "Sent" in finding.what
        assert "answered" in finding.what


async def test_the_rate_of_failures_is_told() -> None:
    flaw = next(flaw for flaw in FLAWS if flaw.code == "answers_by_turns")
    [finding] = await accusations(flaw.build())
    assert re.search(r"\d+ of \d+ calls", finding.what)


async def test_a_whole_table_takes_few_calls() -> None:
    connector = HonestConnector(shop())
    await accusations(connector)
    assert 10 < connector.calls <= MOST_CALLS


@pytest.mark.parametrize("kind", [HonestConnector, SqlConnector])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
async def test_an_honest_connector_over_any_table_is_not_accused(
    kind: Callable[..., HonestConnector], case: Case
) -> None:
    await assert_not_accused(kind, case)


@pytest.mark.campaign("random questions")
@pytest.mark.parametrize("kind", [HonestConnector, SqlConnector])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
async def test_an_honest_connector_over_other_tables_each_time_is_not_accused(
    kind: Callable[..., HonestConnector], case: Case
) -> None:
    await assert_not_accused(kind, case)


async def assert_not_accused(kind: Callable[..., HonestConnector], case: Case) -> None:
    culture = case.dialect.culture
    found = await accusations(kind(replace(case.table, code=TABLE), culture=culture), culture)
    assert not found, found
