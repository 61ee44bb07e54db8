"""A whole portal diagnosed: few calls, bounded at each host, and no source stands in the way of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bi_mcp.diagnostics.portal.diagnosis import diagnose_portal
from bi_mcp.diagnostics.portal.map_text import render_lines, render_tree
from bi_mcp.diagnostics.portal.portal_map import PortalMap
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.errors import InvalidRequestError
from bi_mcp.practice.sample import ENDPOINTS, create_app
from bi_mcp.rest import BIConnector
from bi_mcp.rest.models import ConnectorChanges, DatasetFields, NewColumn, SourceFields
from tests.diagnostics.bent_sample import CONNECTION, BentSample, always, valued
from tests.diagnostics.broken_datasets import recoded
from tests.rest.calling import CHECK, a_portal, connector_fields

pytestmark = pytest.mark.anyio

SHOP = "http://shop.localhost"
# Each with a column of texts.
TABLES = {"airlines": "NAME", "airports": "CITY", "flights": "CARRIER", "weather": "AIRPORT"}
TWICE = 2


@dataclass
class Counting:
    """Counts calls by path. Those for columns wait until so many are in at once; `most` were."""

    app: ASGIApp
    together: int = 1
    paths: Counter[str] = field(default_factory=Counter)
    most: int = 0
    _inside: int = 0
    _enough: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths[scope["path"]] += 1
        self._inside += 1
        self.most = max(self.most, self._inside)
        if self._inside == self.together:
            self._enough.set()
        try:
            if scope["path"] == ENDPOINTS["urlTableDescription"]:
                await self._enough.wait()
            await self.app(scope, receive, send)
        finally:
            self._inside -= 1


async def add_shop(bi: BIConnector, origin: str = SHOP, name: str = "shop") -> int:
    """A connector at this origin, a source on it, and two datasets on each of the four tables; gives the source's id."""
    connector = await bi.connectors.add(connector_fields())
    settings = dict(CONNECTION)
    source = await bi.sources.add(SourceFields(title=name, connector_id=connector, settings=settings))
    for number in range(TWICE):
        for table, column in TABLES.items():
            await bi.datasets.add(
                DatasetFields(
                    name=f"{name}_{table}_{number}",
                    source_id=source,
                    external_code=table,
                    external_name=table,
                    fields=[NewColumn(name=column.upper(), external_code=column, type="string")],
                )
            )
    urls = {endpoint: origin + path for endpoint, path in ENDPOINTS.items()}
    await bi.connectors.update(connector, ConnectorChanges.model_validate(urls))
    return source


def levels(portal_map: PortalMap, beginning: str = "") -> dict[str, str]:
    return {
        node.title: node.level
        for node in portal_map.nodes
        if node.kind == "dataset" and node.title.startswith(beginning)
    }


async def test_each_source_is_checked_once_and_each_table_read_with_three_calls() -> None:
    shop = Counting(create_app())
    async with a_portal() as portal:
        for name in ("one", "two"):
            await add_shop(portal.bi, name=name)
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    assert shop.paths == {"/check": 2, "/table": 2 * len(TABLES), "/data": 2 * 2 * len(TABLES)}
    assert len(levels(found)) == 2 * TWICE * len(TABLES)
    # Each dataset has one of the table's columns, and it is said which there are besides.
    assert set(levels(found).values()) == {"note"}


async def test_as_many_calls_as_allowed_reach_a_host_at_once_and_no_more() -> None:
    shop = Counting(create_app(), together=3)
    async with a_portal() as portal:
        for name in ("one", "two"):
            await add_shop(portal.bi, name=name)
        await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}), calls_per_host=3)
    assert shop.most == 3


async def test_a_source_that_nobody_answers_for_is_asked_once_and_the_others_are_read() -> None:
    asked: list[str] = []

    async def nowhere(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        raise OSError

    async with a_portal() as portal:
        gone = await add_shop(portal.bi, "https://gone.example", "gone")
        await add_shop(portal.bi, name="here")
        caller = EndpointCaller(apps={SHOP: create_app()}, resolver=nowhere)
        found = await diagnose_portal(portal.bi, caller)
    assert asked == ["gone.example"]
    assert set(levels(found, "gone").values()) == {"blocked"}
    assert set(levels(found, "here").values()) == {"note"}
    source = next(node for node in found.nodes if node.key == f"source {gone}")
    assert [finding.where for finding in source.findings] == ["urlCheck"]
    assert "gone.example" in source.findings[0].what
    assert "It blocks 8 datasets: gone_airlines_0, " in source.findings[0].what
    assert not [node for node in found.nodes if node.level == "blocked" and node.findings]
    assert found.summary() == (
        "2 connectors: 1 ok, 1 not checked; 2 sources: 1 ok, 1 broken; 16 datasets: 8 with notes, 8 blocked"
    )


async def test_a_refused_check_is_told_of_the_source_and_its_datasets_are_read_all_the_same() -> None:
    shop = BentSample({"urlCheck": always("", 401), "urlData": valued("CARRIER", lambda _: None)})
    async with a_portal() as portal:
        source = await add_shop(portal.bi)
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    by_key = {node.key: node for node in found.nodes}
    assert "HTTP 401" in by_key[f"source {source}"].findings[0].what
    flights = next(node for node in found.nodes if node.title == "shop_flights_0")
    assert any("Empty in all" in finding.what for finding in flights.findings)


async def test_a_fault_of_all_sources_of_a_connector_is_told_once_of_the_connector() -> None:
    async with a_portal() as portal:
        first = await add_shop(portal.bi, name="one")
        connector = (await portal.bi.sources.get(first)).connector_id
        here = {endpoint: CHECK + path for endpoint, path in ENDPOINTS.items()}
        await portal.bi.connectors.update(connector or 0, ConnectorChanges.model_validate(here))
        second = SourceFields(title="two", connector_id=connector or 0, settings=dict(CONNECTION))
        await portal.bi.sources.add(second)
        there = {endpoint: SHOP + path for endpoint, path in ENDPOINTS.items()}
        await portal.bi.connectors.update(connector or 0, ConnectorChanges.model_validate(there))
        shop = BentSample({"urlCheck": always("", 500)})
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    told = [node.key for node in found.nodes for finding in node.findings if finding.where == "urlCheck"]
    assert told == [f"connector {connector}"]
    assert [node.level for node in found.nodes if node.kind == "source"] == ["blocked", "blocked"]


async def test_an_endpoint_that_fails_for_every_table_is_told_once_with_what_it_blocks() -> None:
    async with a_portal() as portal:
        source = await add_shop(portal.bi)
        shop = BentSample({"urlData": always("", 500)})
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    by_key = {node.key: node for node in found.nodes}
    faults = by_key[f"source {source}"].findings
    assert [(finding.where, finding.level) for finding in faults] == [("urlData", "error")]
    assert "It blocks 8 datasets: shop_airlines_0, " in faults[0].what
    assert set(levels(found).values()) == {"blocked"}
    others = [finding.where for node in found.nodes if node.kind == "dataset" for finding in node.findings]
    assert "urlData" not in others


async def test_a_refused_login_is_told_once_whichever_endpoints_refuse_it() -> None:
    refused = dict.fromkeys(ENDPOINTS, always("", 401))
    async with a_portal() as portal:
        source = await add_shop(portal.bi)
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: BentSample(refused)}))
    told = [(node.key, finding) for node in found.nodes for finding in node.findings if "401" in finding.what]
    [(place, finding)] = told
    assert place == f"source {source}"
    assert finding.where == "urlCheck, urlTableDescription, urlData"
    assert finding.what.count("401") == 1
    assert "It blocks 8 datasets" in finding.what
    # The endpoint is not at fault: the values are.
    assert "endpoint" not in finding.advice
    assert f"The values of source {source} are wrong or no longer valid: put in " in finding.advice
    assert finding.call is not None
    assert finding.call["tool"] == "source_update"
    # A refusal proves nothing about the connector, and what waits says for whom.
    assert next(node for node in found.nodes if node.kind == "connector").level == "unchecked"
    waiting = [line for line in render_tree(found).splitlines() if line.startswith("    ")]
    assert len(waiting) == 8
    assert all(line.endswith(f"(waits for source {source})") for line in waiting)


async def test_of_a_renamed_column_the_map_names_the_column_and_how_to_repair_it() -> None:
    async with a_portal() as portal:
        await add_shop(portal.bi)
        shop = BentSample(recoded("CARRIER", "carrier"))
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    lines = render_lines(found, lambda finding: [f"Call: {call['tool']}" for call in finding.offered])
    told = [line for line in lines if "case-sensitive" in line]
    assert told
    assert all("column CARRIER (CARRIER): The external" in line for line in told)
    assert any(line.endswith("Call: dataset_columns_replace") for line in lines)
    assert any(f"({SHOP.partition('://')[2]})" in line for line in lines)
    assert lines[-1] == "Charts are not visible from here."
    assert not any(line.endswith("…") for line in told)


async def test_a_fault_of_one_dataset_stays_with_it() -> None:
    async with a_portal() as portal:
        await add_shop(portal.bi)
        shop = BentSample({"urlData": valued("CARRIER", lambda _: None)})
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    assert {node.level for node in found.nodes if node.kind != "dataset"} == {"ok"}


async def test_one_source_can_be_diagnosed_alone() -> None:
    shop = Counting(create_app())
    async with a_portal() as portal:
        source = await add_shop(portal.bi, name="one")
        await add_shop(portal.bi, name="two")
        caller = EndpointCaller(apps={SHOP: shop})
        found = await diagnose_portal(portal.bi, caller, source=source)
        with pytest.raises(InvalidRequestError, match="cannot see a source 99"):
            await diagnose_portal(portal.bi, caller, source=99)
    assert shop.paths["/check"] == 1
    assert {node.title for node in found.nodes if node.kind == "source"} == {"one"}
    assert all(title.startswith("one") for title in levels(found))


async def test_of_several_lost_tables_the_list_is_asked_for_once() -> None:
    gone = BentSample(
        {"urlTableDescription": always("", 404), "urlData": always("", 404), "urlTableList": always([])}
    )
    shop = Counting(gone)
    async with a_portal() as portal:
        await add_shop(portal.bi)
        found = await diagnose_portal(portal.bi, EndpointCaller(apps={SHOP: shop}))
    assert shop.paths[ENDPOINTS["urlTableList"]] == 1
    lost = [node for node in found.nodes if node.kind == "dataset"]
    assert len(lost) == TWICE * len(TABLES)
    assert all("no longer lists any tables" in finding.what for node in lost for finding in node.findings)
