"""Each broken connector, served over HTTP: its defect is named and nothing else is; a healthy one yields nothing."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from bi_mcp.diagnostics.connector.check import examine_connector
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.endpoints.guard import Resolver
from tests.diagnostics.bent_sample import CONNECTION, BentSample, bent
from tests.diagnostics.broken_connectors import DEFECTS, SLOW, Defect
from tests.endpoints.services import HOST, local, make_certificate
from tests.practice.portal.serving import served

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("wrong connectors")]


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


async def named_of_address(url: str, resolver: Resolver) -> list[Finding]:
    caller = EndpointCaller(allow_private=True, resolver=resolver)
    return (await examine_connector(caller, {"urlCheck": url}, CONNECTION)).findings


async def test_a_certificate_that_nobody_vouches_for_is_named(tmp_path: Path) -> None:
    files, _ = make_certificate(tmp_path)
    async with served(BentSample({}), certificate=files) as address:
        found = await named_of_address(f"https://{HOST}:{address.rpartition(':')[2]}/check", local)
    assert [(finding.level, finding.where) for finding in found] == [("error", "urlCheck")]
    assert f"TLS failed: the certificate of {HOST} is not trusted (self-signed certificate)" in found[0].what


async def test_a_service_that_is_not_running_is_named() -> None:
    with socket.socket() as silent:
        # Bound and not listening: nobody else gets the port, and nobody answers there.
        silent.bind(("127.0.0.1", 0))
        found = await named_of_address(f"http://127.0.0.1:{silent.getsockname()[1]}/check", local)
    assert [(finding.level, finding.where) for finding in found] == [("error", "urlCheck")]
    assert "Cannot connect to" in found[0].what


async def test_a_host_that_no_name_server_knows_is_named() -> None:
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    found = await named_of_address("https://gone.example/check", nowhere)
    assert [(finding.level, finding.where) for finding in found] == [("error", "urlCheck")]
    assert "gone.example" in found[0].what
    assert "DNS" in (found[0].fix or "")


async def test_an_address_within_the_own_network_is_refused_as_the_cloud_would() -> None:
    async with bent({}) as urls:
        report = await examine_connector(EndpointCaller(), urls, CONNECTION)
    assert report.findings[0].where == "urlCheck, urlTableList"
    assert "public address" in (report.findings[0].fix or "")


async def test_a_healthy_connector_over_http_yields_only_that_its_address_is_local() -> None:
    async with bent({}) as urls:
        report = await examine_connector(EndpointCaller(allow_private=True), urls, CONNECTION)
    assert [(finding.level, finding.where) for finding in report.findings] == [("warning", "address")]


def test_no_two_defects_are_called_the_same() -> None:
    assert max(Counter(map(title, DEFECTS)).values()) == 1
