"""Each broken connector, served over HTTP: its defect is named and nothing else is; a healthy one yields nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pytest

from bi_mcp.diagnostics.connector_check import examine_connector
from bi_mcp.diagnostics.finding import Finding
from bi_mcp.endpoints.caller import EndpointCaller
from tests.diagnostics.bent_sample import CONNECTION, bent
from tests.diagnostics.broken_connectors import DEFECTS, SLOW, Defect

pytestmark = pytest.mark.anyio


async def examined(defect: Defect, only: Collection[str] = ()) -> list[Finding]:
    """Without what is said of the address: it is this machine's, as of no real connector."""
    async with bent({defect.endpoint: defect.bend}) as urls:
        asked = {endpoint: url for endpoint, url in urls.items() if not only or endpoint in only}
        caller = EndpointCaller(allow_private=True, limits=defect.limits)
        report = await examine_connector(caller, asked, CONNECTION)
    return [finding for finding in report.findings if finding.where != "address"]


def assert_named(defect: Defect, findings: list[Finding]) -> None:
    own = [finding for finding in findings if defect.words in finding.what]
    assert [(finding.level, finding.where) for finding in own] == [
        (defect.level, defect.where or defect.endpoint)
    ], findings
    assert own[0].fix
    noise = [finding for finding in findings if finding not in own]
    assert all(any(words in finding.what for words in defect.also) for finding in noise), noise


def title(defect: Defect) -> str:
    return f"{defect.endpoint} {defect.name}"


@pytest.mark.parametrize("defect", DEFECTS, ids=title)
async def test_a_defect_is_named_and_nothing_else_is(defect: Defect) -> None:
    assert_named(defect, await examined(defect))


async def test_an_endpoint_that_never_answers_is_named() -> None:
    assert_named(SLOW, await examined(SLOW, only=[SLOW.endpoint]))


async def test_a_healthy_connector_over_http_yields_only_that_its_address_is_local() -> None:
    async with bent({}) as urls:
        report = await examine_connector(EndpointCaller(allow_private=True), urls, CONNECTION)
    assert [(finding.level, finding.where) for finding in report.findings] == [("warning", "address")]


def test_no_two_defects_are_called_the_same() -> None:
    assert max(Counter(map(title, DEFECTS)).values()) == 1
