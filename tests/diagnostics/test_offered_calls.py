"""What is proposed is accepted by a portal, and the offered calls, made as they stand, mend what was found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from bi_mcp.diagnostics.dataset.views import DatasetContext, Diagnosis, ExternalColumn, Sample, diagnose_views
from bi_mcp.diagnostics.tables.proposal import propose_fields
from bi_mcp.practice.sample import ORIGIN, create_app
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import ColumnChanges, DatasetFields, NewColumn
from tests.practice.sample.calls import call
from tests.rest.calling import Portal, a_portal, add_source

pytestmark = pytest.mark.anyio

TABLES = ("flights", "airports", "airlines", "weather")
OUTSIDE = [
    ExternalColumn("id", "Number", "int"),
    ExternalColumn("paidOn", "Paid on", "date"),
    ExternalColumn("Сумма", "Sum", "money"),
]


@pytest.fixture
async def sample_connector() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url=ORIGIN) as client:
        yield client


@dataclass
class Looked:
    """A dataset on a portal, and what its connector answers."""

    portal: Portal
    dataset_id: int
    described: Sequence[ExternalColumn]
    sample: Sample

    async def diagnosis(self, generation: PortalGeneration) -> Diagnosis:
        dataset = await self.portal.bi.datasets.get(self.dataset_id)
        context = DatasetContext(dataset, generation=generation)
        return diagnose_views(dataset.fields or [], self.described, self.sample, context)

    async def obey(self, diagnosis: Diagnosis) -> None:
        """Make every offered call, in order."""
        for finding in diagnosis.findings:
            for offered in finding.offered:
                await self._make(offered)

    async def _make(self, offered: Mapping[str, Any]) -> None:
        arguments = dict(offered["arguments"])
        assert arguments.pop("id") == self.dataset_id
        if offered["tool"] == "dataset_columns_replace":
            await self._replace(arguments["columns"])
            return
        assert offered["tool"] == "dataset_fields_update"
        await self.portal.bi.datasets.update_columns(self.dataset_id, ColumnChanges.model_validate(arguments))

    async def _replace(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Delete and add, since a portal refuses both in one request."""
        there = {
            column.id: column for column in (await self.portal.bi.datasets.get(self.dataset_id)).fields or []
        }
        again = [
            NewColumn(
                name=there[change["id"]].name or "",
                external_code=change.get("externalCode", there[change["id"]].external_code),
                type=change.get("type", there[change["id"]].type),
            )
            for change in changes
        ]
        gone = [change["id"] for change in changes]
        await self.portal.bi.datasets.update_columns(self.dataset_id, ColumnChanges(delete=gone))
        await self.portal.bi.datasets.update_columns(self.dataset_id, ColumnChanges(add=again))


async def answers(client: httpx.AsyncClient, table: str) -> tuple[list[ExternalColumn], Sample]:
    description = (await call(client, "/table", {"table": table})).json()
    described = [ExternalColumn(column["code"], column["name"], column["type"]) for column in description]
    codes = [column.code for column in described]
    header, *rows = (await call(client, "/data", {"table": table, "select[]": codes, "limit": "200"})).json()
    return described, Sample(header, rows, selected=codes)


@pytest.mark.parametrize("generation", ["classic", "tables"])
@pytest.mark.parametrize("table", TABLES)
async def test_a_proposed_dataset_of_the_sample_is_accepted_and_healthy(
    table: str, generation: PortalGeneration, sample_connector: httpx.AsyncClient
) -> None:
    described, sample = await answers(sample_connector, table)
    async with a_portal(generation) as portal:
        source_id = await add_source(portal.bi)
        proposal = propose_fields(table, table.title(), described, sample, source_id, generation=generation)
        dataset_id = await portal.bi.datasets.add(DatasetFields.model_validate(proposal.fields))
        diagnosis = await Looked(portal, dataset_id, described, sample).diagnosis(generation)
    assert diagnosis == ("healthy", [])
    assert proposal.reasons == []


async def with_columns(portal: Portal, sample: Sample, *columns: tuple[str, str, str]) -> Looked:
    """A dataset of these columns (name, code, type) over OUTSIDE."""
    source_id = await add_source(portal.bi)
    fields = DatasetFields(
        name="orders",
        source_id=source_id,
        external_code="orders",
        external_name="Orders",
        fields=[NewColumn.model_validate({"name": n, "externalCode": c, "type": t}) for n, c, t in columns],
    )
    return Looked(portal, await portal.bi.datasets.add(fields), OUTSIDE, sample)


@pytest.mark.parametrize("generation", ["classic", "tables"])
async def test_a_dataset_is_healthy_after_the_offered_calls(generation: PortalGeneration) -> None:
    sample = Sample([column.code for column in OUTSIDE], [[1, "2025-12-31", 10.5], [2, "2025-12-30", 7]])
    async with a_portal(generation) as portal:
        looked = await with_columns(
            portal, sample, ("ID", "ID", "int"), ("PAID_ON", "paidOn", "string"), ("GONE", "gone", "int")
        )
        before = await looked.diagnosis(generation)
        await looked.obey(before)
        after = await looked.diagnosis(generation)
        columns = (await portal.bi.datasets.get(looked.dataset_id)).fields or []
    assert before.verdict == "broken"
    assert after == ("healthy", [])
    assert {(column.name, column.external_code, column.type) for column in columns} == {
        ("ID", "id", "int"),
        ("PAID_ON", "paidOn", "date"),
        ("SUMMA", "Сумма", "money" if generation == "tables" else "double"),
    }


async def test_hidden_columns_are_shown_by_the_offered_call() -> None:
    sample = Sample([column.code for column in OUTSIDE], [])
    async with a_portal() as portal:
        looked = await with_columns(
            portal, sample, ("ID", "id", "int"), ("PAID_ON", "paidOn", "date"), ("SUMMA", "Сумма", "money")
        )
        looked = replace(looked, sample=replace(sample, rows=[[1, "2025-12-31", 1]]))
        columns = (await portal.bi.datasets.get(looked.dataset_id)).fields or []
        hidden = ColumnChanges.model_validate({"update": [{"id": columns[0].id, "visible": False}]})
        await portal.bi.datasets.update_columns(looked.dataset_id, hidden)
        before = await looked.diagnosis("tables")
        await looked.obey(before)
        after = await looked.diagnosis("tables")
    assert [finding.level for finding in before.findings] == ["note"]
    assert after == ("healthy", [])
