"""Each way in which a connector breaks a dataset, through the portal's REST API and the endpoints: named, and nothing else is."""

from __future__ import annotations

import pytest

from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset
from bi_mcp.diagnostics.dataset.repair_calls import call
from bi_mcp.diagnostics.dataset.views import Diagnosis
from bi_mcp.endpoints.caller import EndpointCaller
from bi_mcp.practice.sample import ENDPOINTS as SAMPLE_PATHS
from bi_mcp.practice.sample import ORIGIN, create_app
from bi_mcp.rest import BIConnector
from bi_mcp.rest.models import (
    ColumnChanges,
    ColumnVisibility,
    ConnectorChanges,
    DatasetFields,
    NewColumn,
    SourceFields,
)
from tests.diagnostics.bent_sample import CONNECTION, TABLE, bent
from tests.diagnostics.broken_connectors import DEFECTS, SLOW
from tests.diagnostics.broken_datasets import DATASET_DEFECTS, DatasetDefect
from tests.rest.calling import a_portal, connector_fields

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("wrong connectors")]

HEALTHY = DatasetDefect("nothing", {}, "ok", "", "")


async def diagnosed(defect: DatasetDefect) -> Diagnosis:
    async with a_portal() as portal, bent(defect.bends) as urls:
        # The portal calls urlCheck itself, and not on this machine; addresses may be changed unchecked.
        connector = await portal.bi.connectors.add(connector_fields(support_mapping=defect.mapping))
        source = await portal.bi.sources.add(
            SourceFields(title="Flights", connector_id=connector, settings=dict(CONNECTION))
        )
        dataset = await add_dataset(portal.bi, source, defect)
        await portal.bi.connectors.update(connector, ConnectorChanges.model_validate(urls))
        return (await diagnose_dataset(portal.bi, EndpointCaller(allow_private=True), dataset))[2]


async def add_dataset(bi: BIConnector, source: int, defect: DatasetDefect) -> int:
    columns = await healthy_columns()
    columns = defect.columns(columns) if defect.columns else columns
    fields = DatasetFields(
        name="flights",
        source_id=source,
        external_code=TABLE,
        external_name="Flights",
        fields=[NewColumn.model_validate(column) for column in columns],
    )
    dataset = await bi.datasets.add(fields)
    if defect.hidden:
        there = (await bi.datasets.get(dataset)).fields or []
        hidden = [
            ColumnVisibility(id=column.id, visible=False)
            for column in there
            if column.external_code in defect.hidden
        ]
        await bi.datasets.update_columns(dataset, ColumnChanges(update=hidden))
    return dataset


async def healthy_columns() -> list[dict[str, str]]:
    """All columns of the sample's table, as a dataset has them that was made of it."""
    caller = EndpointCaller(apps={ORIGIN: create_app()})
    described = await caller.table_description(
        ORIGIN + SAMPLE_PATHS["urlTableDescription"], CONNECTION, TABLE
    )
    return [
        {"name": column.code.upper(), "externalCode": column.code, "type": column.type}
        for column in described.items
    ]


@pytest.mark.parametrize("defect", DATASET_DEFECTS, ids=lambda defect: defect.name)
async def test_what_breaks_a_dataset_is_named_and_nothing_else_is(defect: DatasetDefect) -> None:
    findings = (await diagnosed(defect)).findings
    own = [
        finding
        for finding in findings
        if finding.where.startswith(defect.where) and defect.words in finding.what
    ]
    assert [finding.level for finding in own] == [defect.level], findings
    assert own[0].fix
    noise = [finding for finding in findings if finding not in own]
    assert all(any(words in finding.what for words in defect.also) for finding in noise), noise


async def test_a_healthy_dataset_over_http_yields_no_finding() -> None:
    assert await diagnosed(HEALTHY) == ("healthy", [])


def test_there_are_at_least_forty_different_defects() -> None:
    named = {(defect.endpoint, defect.name) for defect in [*DEFECTS, SLOW]}
    named |= {("dataset", defect.name) for defect in DATASET_DEFECTS}
    assert len(named) == len(DEFECTS) + 1 + len(DATASET_DEFECTS) >= 40
    assert {endpoint for endpoint, _ in named} == {*SAMPLE_PATHS, "dataset"}


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("a table that is gone", "table_gone"),
        ("no tables at all", "table_gone"),
        ("a table that is described as empty", "table_gone"),
        ("a renamed table", "table_gone"),
        ("a table that is not answered", "unreachable"),
        ("a list that is not answered", "unreachable"),
        ("a list in an object", "unreachable"),
        ("no data", "broken"),
        ("another table", "broken"),
    ],
)
async def test_a_lost_table_has_a_verdict_of_its_own(name: str, verdict: str) -> None:
    defect = next(defect for defect in DATASET_DEFECTS if defect.name == name)
    assert (await diagnosed(defect)).verdict == verdict


async def test_for_a_lost_table_its_likely_successor_is_proposed_or_what_there_is_shown() -> None:
    by_name = {defect.name: defect for defect in DATASET_DEFECTS}
    [renamed] = (await diagnosed(by_name["a renamed table"])).findings
    assert renamed.call == call("dataset_propose", source=1, table="dwh.flights_2013", like=1)
    [gone] = (await diagnosed(by_name["no tables at all"])).findings
    assert gone.call == call("source_tables", source=1)
